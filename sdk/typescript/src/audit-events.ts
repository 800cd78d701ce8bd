/**
 * The audit trail.
 *
 * @module
 */

import type { Api } from "./api.js";
import type { CallOptions } from "./deadline.js";
import type { PaginationParams } from "./service-accounts.js";

/**
 * A change, or the logins to an account refused from one address in one minute. The events of an organization form a hash
 * chain: each event contains the hash of the previous one.
 */
export interface AuditEvent {
  /** The organization that the event belongs to. */
  organizationId: string;
  /** The number of the event in the organization: 1, 2, 3 and so on, without gaps. */
  sequence: number;
  /** When the event happened. For refused logins: when the first was refused. */
  at: string;
  /**
   * Who acted: the ID of a service account, `operator` for the operator of the server, or `unauthenticated` for a caller
   * without valid credentials.
   */
  actor: string;
  /** The name of the operation, such as `rotate_secret`. Later versions may add operations. */
  action: string;
  /** The ID of the object that was changed. */
  target: string;
  /** The ID of the request that caused the event. For refused logins: the first request. Null: a command caused the event. */
  requestId: string | null;
  /**
   * The address that the request came from. Null: a command caused the event, or the event counts refused logins from several
   * addresses.
   */
  address: string | null;
  /** The fields that changed, with their new values. For refused logins: how many, and the reasons. Never contains a secret. */
  changes: { [name: string]: string };
  /** The hash of the previous event in hexadecimal. Zeros in the first event. */
  previousHash: string;
  /** SHA-256 over the previous hash and all fields above, in hexadecimal. */
  hash: string;
}

/** Filters for audit events. An event must pass all of them. */
export interface AuditEventFilter {
  /** Only events about this service account: it or one of its tokens is the target. */
  serviceAccountId?: string | undefined;
  /** Only events of this operation, such as `rotate_secret`. */
  action?: string | undefined;
  /** Only events of this actor: the ID of a service account, `operator` or `unauthenticated`. */
  actor?: string | undefined;
  /** Only events at or after this instant (RFC 3339). */
  since?: string | Date | undefined;
  /** Only events before this instant (RFC 3339). */
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
