/**
 * The audit trail: who did what to whom, when, from where.
 *
 * @module
 */

import type { Api } from "./api.js";
import type { PaginationParams } from "./service-accounts.js";
import type { CallOptions } from "./time.js";

/**
 * One change, or the logins refused to an account from one address in one minute. The events of an organization form a
 * chain: each holds the hash of the one before.
 */
export interface AuditEvent {
  /** The organization whose event it is. */
  organizationId: string;
  /** Its number in the organization: 1, 2, 3 and so on, without gaps. */
  sequence: number;
  /** When; of refused logins, when the first was. */
  at: string;
  /** Who: the id of a service account, `operator` for whoever runs the server, or `unauthenticated`. */
  actor: string;
  /** What: the name of the operation, like `rotate_secret`. */
  action: string;
  /** Whom: the id of what changed. */
  target: string;
  /** The request that caused it; of refused logins, the first; null for a command. */
  requestId: string | null;
  /** The address that the request came from; null for a command, and where there were too many to tell apart. */
  address: string | null;
  /** The fields that changed, with their new values; of refused logins, how many there were, and why. Never a secret. */
  changes: { [name: string]: string };
  /** The hash of the event before; zeros in the first. In hexadecimal. */
  previousHash: string;
  /** SHA-256 over the previous hash and all the fields above. In hexadecimal. */
  hash: string;
}

/** Which events a list holds. All conditions must hold. */
export interface AuditEventFilter {
  /** Only events about this account: it is their target, or one of its tokens is. */
  serviceAccountId?: string | undefined;
  /** Only events of this kind. */
  action?: string | undefined;
  /** Only what this one did: the id of an account, `operator` or `unauthenticated`. */
  actor?: string | undefined;
  /** Only events from this instant on. */
  since?: string | Date | undefined;
  /** Only events before this instant. */
  until?: string | Date | undefined;
}

/** Events, oldest first. */
export interface ListAuditEventsResponse {
  items: AuditEvent[];
  /** Where the next page begins; not there on the last one. */
  nextCursor?: string;
}

/** How many events an iterator asks for at once. */
const PAGE_SIZE = 200;

/** What the client's scopes must hold for these: `management:audit:read`. */
export class AuditEvents {
  readonly #api: Api;

  /** @internal */
  constructor(api: Api) {
    this.#api = api;
  }

  /** A page of events, oldest first: 50 of them unless `limit` says. Repeat the filter with the cursor. */
  async list(
    params: AuditEventFilter & PaginationParams = {},
    options: CallOptions = {},
  ): Promise<ListAuditEventsResponse> {
    return await this.#api.json<ListAuditEventsResponse>(
      { method: "GET", path: ["audit-events"], query: { ...params } },
      "items",
      options,
    );
  }

  /** The events one by one, oldest first, a page at a time; `limit` is the size of a page. */
  async *listAll(
    params: AuditEventFilter & Pick<PaginationParams, "limit"> = {},
    options: CallOptions = {},
  ): AsyncGenerator<AuditEvent, void, undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.list({ limit: PAGE_SIZE, ...params, cursor }, options);
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  /**
   * The whole chain of the organization, oldest first, as the server reads it: nothing is held in memory. An export that
   * breaks off is a `NetworkError`. A line for each event, as JSON, is what `prokura audit verify --file` checks.
   */
  async *export(options: CallOptions = {}): AsyncGenerator<AuditEvent, void, undefined> {
    const call = { method: "GET", path: ["audit-events", "export"] } as const;
    yield* this.#api.lines<AuditEvent>(call, "sequence", options);
  }
}
