/**
 * Service accounts: what there is to know of them, and what can be done with them.
 *
 * @module
 */

import type { Credentials } from "./access-token.js";
import {
  type Api,
  type Call,
  type ChangeOptions,
  type IdempotentOptions,
  newIdempotencyKey,
  type Tagged,
} from "./api.js";
import type { CallOptions } from "./time.js";

/** A service account. Instants are RFC 3339 in UTC, with milliseconds. */
export interface ServiceAccount {
  /** Its id, a UUID: what the methods here take. */
  id: string;
  /** What it calls itself at the token endpoint: `sa_` and its id. */
  clientId: string;
  /** Its display name; two accounts may share it. */
  name: string;
  /** What it is for. */
  description: string | null;
  /** The scopes that it may ask for, in alphabetical order. */
  scopes: string[];
  /** Who answers for it; null if nobody is named. */
  owner: string | null;
  /** What it is sorted by. */
  labels: Labels;
  /** Whether it is switched off: it gets no tokens, and those that it has are dead meanwhile. */
  disabled: boolean;
  /** How long its tokens live, in seconds; null: as long as those of the resource that they are for. */
  tokenLifetimeSeconds: number | null;
  /** When it expires: from then on it is as if it were disabled; null: it does not. */
  expiresAt: string | null;
  /** When it was created. */
  createdAt: string;
  /** When it, or its secret, last changed. */
  updatedAt: string;
  /** The id of the account that created it; null for the server's own first accounts. */
  createdBy: string | null;
  /** When a token was last issued to it; null if never. */
  lastUsedAt: string | null;
}

/** Keys and values. */
export interface Labels {
  [key: string]: string;
}

/** A new account: only its name is needed. */
export interface CreateServiceAccountRequest {
  /** A display name of one line: 1 to 255 characters. */
  name: string;
  /** What it is for: up to 1,024 characters. */
  description?: string | null | undefined;
  /** What it may ask for. Left out: the management scopes of the caller. */
  scopes?: readonly string[] | null | undefined;
  /** Who answers for it: one line of up to 255 characters. */
  owner?: string | null | undefined;
  /** What it is sorted by: up to 32 labels, a key of up to 63 characters without colons, a value of up to 255. */
  labels?: Labels | null | undefined;
  /** How long its tokens live, in seconds: 60 to 86,400. Left out: as long as those of the resource that they are for. */
  tokenLifetimeSeconds?: number | null | undefined;
  /** When it expires. Left out: it does not. */
  expiresAt?: string | Date | null | undefined;
}

/** What is to change (RFC 7396): what is left out stays, and null takes away. */
export interface UpdateServiceAccountRequest {
  name?: string | undefined;
  description?: string | null | undefined;
  scopes?: readonly string[] | undefined;
  /** Switches it off, or on again. */
  disabled?: boolean | undefined;
  owner?: string | null | undefined;
  /** The labels to set, and with null those to take away; the others stay. Null takes all of them away. */
  labels?: { readonly [key: string]: string | null } | null | undefined;
  tokenLifetimeSeconds?: number | null | undefined;
  expiresAt?: string | Date | null | undefined;
}

/** Which accounts a list holds. All conditions must hold. */
export interface ServiceAccountFilter {
  /** Those with this in their name, in upper or lower case. */
  name?: string | undefined;
  /** Those with all these labels. */
  labels?: { readonly [key: string]: string } | undefined;
  /** Those of this owner, to the letter. */
  owner?: string | undefined;
  /** Those that are disabled, or those that are not. */
  disabled?: boolean | undefined;
  /** Those that got no token for so many days, or since they were created. */
  unusedForDays?: number | undefined;
  /** Those with a living secret that expires within so many days; one that a rotation is ending does not count. */
  secretExpiresWithinDays?: number | undefined;
}

/** Which page of a list. */
export interface PaginationParams {
  /** How many at most: 1 to 200. */
  limit?: number | undefined;
  /** The `nextCursor` of the page before. */
  cursor?: string | undefined;
}

/** One account. */
export interface ServiceAccountResponse extends Tagged {
  serviceAccount: ServiceAccount;
}

/** An account with its new secret, which is shown this once. */
export interface ServiceAccountCredentialsResponse extends ServiceAccountResponse {
  credentials: Credentials;
}

export type CreateServiceAccountResponse = ServiceAccountCredentialsResponse;
export type RotateServiceAccountSecretResponse = ServiceAccountCredentialsResponse;

/** Accounts, oldest first. */
export interface ListServiceAccountsResponse {
  items: ServiceAccount[];
  /** Where the next page begins; not there on the last one. */
  nextCursor?: string;
}

/** How a secret is to be rotated. */
export interface RotateSecretRequest {
  /** How long the old secrets live on, in seconds: up to 604,800. Left out: they end now. */
  gracePeriodSeconds?: number | undefined;
  /** How long the new secret is to live, in seconds. Left out: it does not expire. */
  expiresInSeconds?: number | undefined;
  /** Whether the tokens issued so far end as well. */
  revokeTokens?: boolean | undefined;
}

/** What a further secret is to be like. */
export interface AddSecretRequest {
  /** How long it is to live, in seconds. Left out: it does not expire. */
  expiresInSeconds?: number | undefined;
}

/** A secret of an account, without the secret. */
export interface ServiceAccountSecret {
  /** Its id, a UUID. */
  id: string;
  /** Its last four characters. */
  hint: string;
  /** When it was made. */
  createdAt: string;
  /** The id of the account that made it; null for the server itself. */
  createdBy: string | null;
  /** When it ends by itself: its expiry, or the end of its grace if that comes first; null if it does not. */
  expiresAt: string | null;
  /** When it last obtained a token; null where that is not known. */
  lastUsedAt: string | null;
  /** `retiring` is a live secret whose grace is running. Later versions may know further states. */
  state: "active" | "retiring" | "expired" | "revoked" | (string & {});
  /** Whether it can be ended without anybody noticing: a newer secret has been in use, and this one not, for a day. */
  safeToRevoke: boolean;
}

/** Secrets, newest first: those that live, and those that ended in the last 30 days. */
export interface ListSecretsResponse {
  items: ServiceAccountSecret[];
}

/** A further secret, which is shown this once. */
export interface AddSecretResponse {
  secret: ServiceAccountSecret;
  credentials: Credentials;
}

/** What an account got and was refused on one day of UTC. */
export interface DailyUsage {
  /** The day: `2026-11-23`. */
  date: string;
  /** Access tokens issued to the account. */
  tokensIssued: number;
  /** Requests for a token that were refused. */
  tokensRefused: number;
}

/** How far back. */
export interface UsageParams {
  /** How many days: 1 to 90; 30 unless given. */
  days?: number | undefined;
}

/** Days, oldest first, each of them there; today is the last. */
export interface UsageResponse {
  items: DailyUsage[];
}

/** How many accounts an iterator asks for at once. */
const PAGE_SIZE = 200;

export class ServiceAccounts {
  readonly #api: Api;

  /** @internal */
  constructor(api: Api) {
    this.#api = api;
  }

  /** Creates an account. The answer holds its secret, which is shown this once. */
  async create(
    account: CreateServiceAccountRequest,
    options: IdempotentOptions = {},
  ): Promise<CreateServiceAccountResponse> {
    const call = await keyed({ method: "POST", path: ["service-accounts"], body: account }, options);
    return await this.#api.json<CreateServiceAccountResponse>(call, "credentials", options);
  }

  /** Accounts, oldest first: all of them, or with `limit` or `cursor` a page. */
  async list(
    params: ServiceAccountFilter & PaginationParams = {},
    options: CallOptions = {},
  ): Promise<ListServiceAccountsResponse> {
    const { labels, ...others } = params;
    const label = Object.entries(labels ?? {}).map(([key, value]) => `${key}:${value}`);
    return await this.#api.json<ListServiceAccountsResponse>(
      { method: "GET", path: ["service-accounts"], query: { ...others, label } },
      "items",
      options,
    );
  }

  /** The accounts one by one, oldest first, a page at a time; `limit` is the size of a page. */
  async *listAll(
    params: ServiceAccountFilter & Pick<PaginationParams, "limit"> = {},
    options: CallOptions = {},
  ): AsyncGenerator<ServiceAccount, void, undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.list({ limit: PAGE_SIZE, ...params, cursor }, options);
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  /** The account. */
  async get(id: string, options: CallOptions = {}): Promise<ServiceAccountResponse> {
    return await this.#api.json<ServiceAccountResponse>(at("GET", id), "serviceAccount", options);
  }

  /**
   * Changes what the patch says and leaves the rest. While an account is disabled or expired it gets no tokens and its
   * tokens are dead; those that have not expired by then revive with it. Scopes taken away are gone from its tokens at
   * once. With `ifMatch` it is not sent again when the connection fails: it may have been done, and would be refused.
   */
  async update(
    id: string,
    patch: UpdateServiceAccountRequest,
    options: ChangeOptions = {},
  ): Promise<ServiceAccountResponse> {
    const { ifMatch } = options;
    return await this.#api.json<ServiceAccountResponse>(
      { ...at("PATCH", id), body: patch, ifMatch, isRepeatable: ifMatch === undefined },
      "serviceAccount",
      options,
    );
  }

  /**
   * Gives the account a new secret, which is shown this once. The old ones end now, or after a grace. Tokens already
   * issued live on, unless they are to be revoked.
   */
  async rotateSecret(
    id: string,
    rotation?: RotateSecretRequest,
    options: ChangeOptions & IdempotentOptions = {},
  ): Promise<RotateServiceAccountSecretResponse> {
    const call = await keyed({ ...at("POST", id, "rotate-secret"), body: rotation }, options);
    return await this.#api.json<RotateServiceAccountSecretResponse>(call, "credentials", options);
  }

  /** Takes the last rotation back: its secret ends, and those that were to retire live on. */
  async cancelRotation(id: string, options: ChangeOptions = {}): Promise<ServiceAccountResponse> {
    const { ifMatch } = options;
    // Not to be sent twice: the second one would find no rotation.
    const call = { ...at("POST", id, "cancel-rotation"), ifMatch };
    return await this.#api.json<ServiceAccountResponse>(call, "serviceAccount", options);
  }

  /** Deletes the account, for good: its secrets and every token that it ever got are dead from now on. */
  async revoke(id: string, options: ChangeOptions = {}): Promise<void> {
    await this.#api.done({ ...at("DELETE", id), ifMatch: options.ifMatch }, options);
  }

  /** The same as {@link revoke}. */
  async delete(id: string, options: ChangeOptions = {}): Promise<void> {
    await this.revoke(id, options);
  }

  /** Ends every token issued to the account so far, at our endpoints; its secrets live on. */
  async revokeTokens(id: string, options: ChangeOptions = {}): Promise<void> {
    const { ifMatch } = options;
    const isRepeatable = ifMatch === undefined;
    await this.#api.done({ ...at("POST", id, "revoke-tokens"), ifMatch, isRepeatable }, options);
  }

  /** The secrets of the account, newest first, without the secrets themselves. */
  async listSecrets(id: string, options: CallOptions = {}): Promise<ListSecretsResponse> {
    return await this.#api.json<ListSecretsResponse>(at("GET", id, "secrets"), "items", options);
  }

  /** Gives the account a further secret beside those that live; five may. It is shown this once. */
  async addSecret(
    id: string,
    secret?: AddSecretRequest,
    options: ChangeOptions & IdempotentOptions = {},
  ): Promise<AddSecretResponse> {
    const call = await keyed({ ...at("POST", id, "secrets"), body: secret }, options);
    return await this.#api.json<AddSecretResponse>(call, "credentials", options);
  }

  /** Ends one secret of the account at once. Tokens already issued live on. */
  async deleteSecret(id: string, secretId: string, options: ChangeOptions = {}): Promise<void> {
    await this.#api.done({ ...at("DELETE", id, "secrets", secretId), ifMatch: options.ifMatch }, options);
  }

  /** How many tokens the account got and was refused, day by day. */
  async getUsage(id: string, params: UsageParams = {}, options: CallOptions = {}): Promise<UsageResponse> {
    return await this.#api.json<UsageResponse>({ ...at("GET", id, "usage"), query: { ...params } }, "items", options);
  }
}

function at(method: Call["method"], ...path: string[]): Call {
  return { method, path: ["service-accounts", ...path] };
}

/** A call that makes a secret, which must not be made twice. */
async function keyed(call: Call, options: ChangeOptions & IdempotentOptions): Promise<Call> {
  const idempotencyKey = options.idempotencyKey ?? (await newIdempotencyKey());
  return { ...call, ifMatch: options.ifMatch, idempotencyKey };
}
