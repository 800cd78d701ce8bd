/**
 * Service accounts and their secrets.
 *
 * @module
 */

import {
  type Api,
  type Call,
  type ChangeOptions,
  type IdempotentOptions,
  newIdempotencyKey,
  type Tagged,
} from "./api.js";
import type { ClientCredentials } from "./credentials.js";
import type { CallOptions } from "./deadline.js";

/** A service account. Instants are RFC 3339 in UTC with milliseconds. */
export interface ServiceAccount {
  /** The ID of the account, a UUID. The methods of this SDK take it. */
  id: string;
  /** The client ID for the token endpoint: `sa_` and the ID. */
  clientId: string;
  /** Display name. Two accounts may have the same name. */
  name: string;
  /** What the account is for. */
  description: string | null;
  /** All scopes that the account may request, in alphabetical order. */
  scopes: string[];
  /** What the account may grant to others, beside the management scopes that it holds: scopes and patterns such as `orders:*`. */
  grantableScopes: string[];
  /** The person or team that is responsible for the account. Null: none. */
  owner: string | null;
  /** Key-value tags for grouping and filtering. */
  labels: Labels;
  /** Whether the account is disabled. A disabled account gets no tokens, and its tokens are inactive. */
  disabled: boolean;
  /** Lifetime of the account's access tokens, in seconds. Null: the lifetime of the resource that the token is for. */
  tokenLifetimeSeconds: number | null;
  /** When the account expires. From then on it gets no tokens, and its tokens are inactive. Null: never. */
  expiresAt: string | null;
  /** When the account was created. */
  createdAt: string;
  /** When the account or one of its secrets last changed. */
  updatedAt: string;
  /** The ID of the account that created it. Null: the server itself. */
  createdBy: string | null;
  /** When a token was last issued to the account. Null: never. */
  lastUsedAt: string | null;
}

/** Labels: key-value tags for grouping and filtering. */
export interface Labels {
  [key: string]: string;
}

/** A new service account. Only the name is required. */
export interface CreateServiceAccountRequest {
  /** Display name: one line of 1 to 255 characters. */
  name: string;
  /** What the account is for: up to 1,024 characters. Line breaks are allowed. */
  description?: string | null | undefined;
  /** All scopes that the account may request. Default: the management scopes of the caller. */
  scopes?: readonly string[] | null | undefined;
  /**
   * What the account may grant to others, beside the management scopes that it holds: scopes, and patterns such as `orders:*`.
   * Default: nothing.
   */
  grantableScopes?: readonly string[] | null | undefined;
  /** The person or team that is responsible for the account: one line of 1 to 255 characters. */
  owner?: string | null | undefined;
  /**
   * Key-value tags for grouping and filtering: up to 32, with keys of 1 to 63 characters without colons and values of up to
   * 255 characters.
   */
  labels?: Labels | null | undefined;
  /** Lifetime of the account's access tokens: 60 to 86,400 seconds. Default: the lifetime of the resource. */
  tokenLifetimeSeconds?: number | null | undefined;
  /** When the account expires (RFC 3339). Default: never. */
  expiresAt?: string | Date | null | undefined;
}

/** Settings to change (RFC 7396). Absent members stay as they are; null removes a value. */
export interface UpdateServiceAccountRequest {
  /** Display name: one line of 1 to 255 characters. */
  name?: string | undefined;
  /** What the account is for: up to 1,024 characters. Line breaks are allowed. */
  description?: string | null | undefined;
  /** All scopes that the account may request. Scopes that are removed stop working in its tokens at once. */
  scopes?: readonly string[] | undefined;
  /** What the account may grant to others, beside the management scopes that it holds: scopes and patterns such as `orders:*`. */
  grantableScopes?: readonly string[] | undefined;
  /** Whether the account is disabled. A disabled account gets no tokens, and its tokens are inactive. */
  disabled?: boolean | undefined;
  /** The person or team that is responsible for the account: one line of 1 to 255 characters. */
  owner?: string | null | undefined;
  /** The labels to set. A label set to null is removed, other labels stay. Null instead of an object removes all labels. */
  labels?: { readonly [key: string]: string | null } | null | undefined;
  /** Lifetime of the account's access tokens: 60 to 86,400 seconds. Null: the lifetime of the resource. */
  tokenLifetimeSeconds?: number | null | undefined;
  /** When the account expires (RFC 3339). Null: never. */
  expiresAt?: string | Date | null | undefined;
}

/** Filters for service accounts. An account must pass all of them. */
export interface ServiceAccountFilter {
  /** Only accounts whose name contains this text, ignoring case. */
  name?: string | undefined;
  /** Only accounts with all of these labels. */
  labels?: { readonly [key: string]: string } | undefined;
  /** Only accounts with exactly this owner. */
  owner?: string | undefined;
  /** Only disabled accounts (`true`), or only enabled accounts (`false`). */
  disabled?: boolean | undefined;
  /** Only accounts that were issued no token for this many days. */
  unusedForDays?: number | undefined;
  /** Only accounts with a secret that expires within this many days. Secrets that a rotation retires do not count. */
  secretExpiresWithinDays?: number | undefined;
}

/** Selects a page of a list. */
export interface PaginationParams {
  /** The maximum number of items in a page: 1 to 200. */
  limit?: number | undefined;
  /** The `nextCursor` of the previous page. */
  cursor?: string | undefined;
}

/** A service account. */
export interface ServiceAccountResponse extends Tagged {
  serviceAccount: ServiceAccount;
}

/** A service account and its new secret, which cannot be read again later. */
export interface ServiceAccountCredentialsResponse extends ServiceAccountResponse {
  credentials: ClientCredentials;
}

export type CreateServiceAccountResponse = ServiceAccountCredentialsResponse;
export type RotateServiceAccountSecretResponse = ServiceAccountCredentialsResponse;

/** Service accounts, oldest first. */
export interface ListServiceAccountsResponse {
  items: ServiceAccount[];
  /** The cursor of the next page. Missing on the last page. */
  nextCursor?: string;
}

/** How to rotate a secret. */
export interface RotateSecretRequest {
  /**
   * How long the old secrets keep working, in seconds: up to 604,800, unless the server has another limit. Default: they
   * stop working at once.
   */
  gracePeriodSeconds?: number | undefined;
  /** Lifetime of the new secret, in seconds. Default: it does not expire. */
  expiresInSeconds?: number | undefined;
  /** Whether to revoke the tokens issued so far. Default: false. */
  revokeTokens?: boolean | undefined;
}

/** A secret to add. */
export interface AddSecretRequest {
  /** Lifetime of the secret, in seconds. Default: it does not expire. */
  expiresInSeconds?: number | undefined;
}

/** A secret of a service account, without the secret text. */
export interface ServiceAccountSecret {
  /** The ID of the secret, a UUID. */
  id: string;
  /** The last four characters of the secret. */
  hint: string;
  /** When the secret was created. */
  createdAt: string;
  /** The ID of the account that created it. Null: the server itself. */
  createdBy: string | null;
  /** When the secret stops working: its expiry or the end of its grace period, whichever comes first. Null: never. */
  expiresAt: string | null;
  /** When a token was last issued for the secret. Null: not known. */
  lastUsedAt: string | null;
  /** The state. A `retiring` secret works until the grace period of a rotation ends. Later versions may add states. */
  state: "active" | "retiring" | "expired" | "revoked" | (string & {});
  /**
   * Whether the secret can be deleted without breaking a client: a newer secret has been in use for a day (or the time that
   * the server configures), and this one has not.
   */
  safeToRevoke: boolean;
}

/** The secrets of a service account, newest first. Includes those that ended within the last 30 days. */
export interface ListSecretsResponse {
  items: ServiceAccountSecret[];
}

/** An added secret. Its text cannot be read again later. */
export interface AddSecretResponse {
  secret: ServiceAccountSecret;
  credentials: ClientCredentials;
}

/** The token requests of a service account on one day (UTC). */
export interface DailyUsage {
  /** The day, such as `2026-11-23`. */
  date: string;
  /** Access tokens issued to the account. */
  tokensIssued: number;
  /** Token requests that were refused. */
  tokensRefused: number;
}

/** Selects the days of a usage report. */
export interface UsageParams {
  /** The number of days, including today: 1 to 90. Default: 30. */
  days?: number | undefined;
}

/** One entry per day, oldest first. The last one is today. */
export interface UsageResponse {
  items: DailyUsage[];
}

/** The page size of the iterator. */
const PAGE_SIZE = 200;

/** Manages service accounts and their secrets. */
export class ServiceAccounts {
  readonly #api: Api;

  /** @internal */
  constructor(api: Api) {
    this.#api = api;
  }

  /** Creates a service account. The response contains its secret, which cannot be read again later. */
  async create(
    account: CreateServiceAccountRequest,
    options: IdempotentOptions = {},
  ): Promise<CreateServiceAccountResponse> {
    const call = await keyed({ method: "POST", path: ["service-accounts"], body: account }, options);
    return await this.#api.json<CreateServiceAccountResponse>(call, "credentials", options);
  }

  /** Lists service accounts, oldest first. Without `limit` and `cursor` it returns all of them, otherwise one page. */
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

  /** Iterates over all service accounts, oldest first. Reads them page by page; `limit` is the page size. */
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

  /** Gets a service account. */
  async get(id: string, options: CallOptions = {}): Promise<ServiceAccountResponse> {
    return await this.#api.json<ServiceAccountResponse>(at("GET", id), "serviceAccount", options);
  }

  /** Updates a service account. Absent members stay as they are; null removes a value. */
  async update(
    id: string,
    patch: UpdateServiceAccountRequest,
    options: ChangeOptions = {},
  ): Promise<ServiceAccountResponse> {
    const call = { ...at("PATCH", id), body: patch, ifMatch: options.ifMatch };
    return await this.#api.json<ServiceAccountResponse>(call, "serviceAccount", options);
  }

  /**
   * Rotates the secret of a service account. Without a grace period, the old secrets stop working at once. Tokens issued so
   * far stay active until they expire. The response contains the new secret, which cannot be read again later.
   */
  async rotateSecret(
    id: string,
    rotation?: RotateSecretRequest,
    options: ChangeOptions & IdempotentOptions = {},
  ): Promise<RotateServiceAccountSecretResponse> {
    const call = await keyed({ ...at("POST", id, "rotate-secret"), body: rotation }, options);
    return await this.#api.json<RotateServiceAccountSecretResponse>(call, "credentials", options);
  }

  /**
   * Cancels a rotation whose grace period has not ended: its secret stops working at once, and the secrets that it retires
   * become active again.
   */
  async cancelRotation(id: string, options: ChangeOptions = {}): Promise<ServiceAccountResponse> {
    const call = { ...at("POST", id, "cancel-rotation"), ifMatch: options.ifMatch };
    return await this.#api.json<ServiceAccountResponse>(call, "serviceAccount", options);
  }

  /** Deletes a service account permanently. Its secrets and all its tokens stop working at once. */
  async revoke(id: string, options: ChangeOptions = {}): Promise<void> {
    await this.#api.done({ ...at("DELETE", id), ifMatch: options.ifMatch }, options);
  }

  /** The same as {@link revoke}. */
  async delete(id: string, options: ChangeOptions = {}): Promise<void> {
    await this.revoke(id, options);
  }

  /** Revokes every token issued to a service account so far. Its secrets keep working. */
  async revokeTokens(id: string, options: ChangeOptions = {}): Promise<void> {
    await this.#api.done({ ...at("POST", id, "revoke-tokens"), ifMatch: options.ifMatch }, options);
  }

  /** Lists the secrets of a service account, newest first, without the secret texts. */
  async listSecrets(id: string, options: CallOptions = {}): Promise<ListSecretsResponse> {
    return await this.#api.json<ListSecretsResponse>(at("GET", id, "secrets"), "items", options);
  }

  /**
   * Adds a secret to a service account. The other secrets keep working. An account can have five secrets that are `active` or
   * `retiring`. The response contains the new secret, which cannot be read again later.
   */
  async addSecret(
    id: string,
    secret?: AddSecretRequest,
    options: ChangeOptions & IdempotentOptions = {},
  ): Promise<AddSecretResponse> {
    const call = await keyed({ ...at("POST", id, "secrets"), body: secret }, options);
    return await this.#api.json<AddSecretResponse>(call, "credentials", options);
  }

  /** Deletes one secret of a service account. It stops working at once. Tokens issued so far stay active. */
  async deleteSecret(id: string, secretId: string, options: ChangeOptions = {}): Promise<void> {
    await this.#api.done({ ...at("DELETE", id, "secrets", secretId), ifMatch: options.ifMatch }, options);
  }

  /** Counts the tokens issued and refused to a service account, by day. */
  async getUsage(id: string, params: UsageParams = {}, options: CallOptions = {}): Promise<UsageResponse> {
    return await this.#api.json<UsageResponse>({ ...at("GET", id, "usage"), query: { ...params } }, "items", options);
  }
}

function at(method: Call["method"], ...path: string[]): Call {
  return { method, path: ["service-accounts", ...path] };
}

/** A call that creates a secret. Its idempotency key makes the server create only one. */
async function keyed(call: Call, options: ChangeOptions & IdempotentOptions): Promise<Call> {
  const idempotencyKey = options.idempotencyKey ?? (await newIdempotencyKey());
  return { ...call, ifMatch: options.ifMatch, idempotencyKey };
}
