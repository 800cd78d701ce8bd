/**
 * The audit trail.
 *
 * @module
 */

import type { Api } from "./api.js";
import type { CallOptions } from "./deadline.js";
import type { PaginationParams } from "./service-accounts.js";

/**
 * One change, or all refused logins to an account from one address within one minute. The events of an organization form a
 * chain: each contains the hash of the previous one.
 */
export interface AuditEvent {
  /** The organization that the event belongs to. */
  organizationId: string;
  /** The number of the event in its organization: 1, 2, 3 and so on, without gaps. */
  sequence: number;
  /** When it happened. For refused logins: when the first one happened. */
  at: string;
  /** Who did it: the ID of a service account, `operator` (a command on the server), or `unauthenticated`. */
  actor: string;
  /** The name of the operation, such as `rotate_secret`. */
  action: string;
  /** The ID of the object that changed. */
  target: string;
  /** The ID of the request. For refused logins: of the first one. Null for a command on the server. */
  requestId: string | null;
  /** The address that the request came from. Null for a command on the server, and if there were too many addresses. */
  address: string | null;
  /** The fields that changed, with their new values. For refused logins: their number and reasons. Never a secret. */
  changes: { [name: string]: string };
  /** The hash of the previous event, in hexadecimal. Zeros in the first event. */
  previousHash: string;
  /** SHA-256 of the previous hash and all fields above, in hexadecimal. */
  hash: string;
}

/** Filters for audit events. An event must match all of them. */
export interface AuditEventFilter {
  /** Events about this service account: it or one of its tokens is the target. */
  serviceAccountId?: string | undefined;
  /** Events of this operation, such as `rotate_secret`. */
  action?: string | undefined;
  /** Events of this actor: the ID of a service account, `operator` or `unauthenticated`. */
  actor?: string | undefined;
  /** Events at or after this instant (RFC 3339). */
  since?: string | Date | undefined;
  /** Events before this instant (RFC 3339). */
  until?: string | Date | undefined;
}

/** One page of audit events, oldest first. */
export interface ListAuditEventsResponse {
  items: AuditEvent[];
  /** The cursor of the next page. Missing on the last page. */
  nextCursor?: string;
}

/** The page size of the iterator. */
const PAGE_SIZE = 200;

/** Reads the audit trail. Requires the scope `management:audit:read`. */
export class AuditEvents {
  readonly #api: Api;

  /** @internal */
  constructor(api: Api) {
    this.#api = api;
  }

  /** Returns one page of events, oldest first. Default page size: 50. Pass the same filters with each cursor. */
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

  /** Iterates over all events, oldest first. Reads them page by page; `limit` is the page size. */
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
   * Exports the whole audit trail, oldest first. Events are streamed and not kept in memory. An export that breaks off
   * rejects with a `NetworkError`. Write one event per line as JSON for `prokura audit verify --file`.
   */
  async *export(options: CallOptions = {}): AsyncGenerator<AuditEvent, void, undefined> {
    const call = { method: "GET", path: ["audit-events", "export"] } as const;
    yield* this.#api.lines<AuditEvent>(call, "sequence", options);
  }
}
