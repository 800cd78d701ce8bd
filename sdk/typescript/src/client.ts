/**
 * The client: what it is made of, and from what.
 *
 * @module
 */

import { AccessTokens, type Credentials } from "./access-token.js";
import { Api } from "./api.js";
import { AuditEvents } from "./audit-events.js";
import { ConfigError } from "./errors.js";
import { Http } from "./http.js";
import { ServiceAccounts } from "./service-accounts.js";
import { type CallOptions, type Clock, systemClock } from "./time.js";
import { Tokens } from "./tokens.js";

/** What a client is made from. */
export interface ManagementClientConfig {
  /** The server's public URL, without `/api/v1`. */
  baseUrl: string;
  /** What the client authenticates with; a function is asked whenever a token is needed. */
  credentials: Credentials | (() => Credentials | Promise<Credentials>);
  /** The version of the API: `v1`. */
  apiVersion?: string | undefined;
  /** The token endpoint: `${baseUrl}/oauth2/token`. */
  tokenUrl?: string | undefined;
  /** The scopes to ask for: `["management:all"]`. With none, all that the account has. */
  scopes?: readonly string[] | undefined;
  /** The resource that the token is for: `${baseUrl}/api/${apiVersion}`. */
  audience?: string | undefined;
  /** How long a call may take, in milliseconds, unless it says otherwise: 30,000. */
  timeoutMs?: number | undefined;
  /** How often a call is sent again that was refused with 429 or 503 or that got no answer: 2. */
  maxRetries?: number | undefined;
  /** Sends secrets and tokens over plain HTTP to other machines too. Between processes of one machine it is allowed. */
  allowInsecureHttp?: boolean | undefined;
  /** What sends the requests: the runtime's `fetch`. */
  fetch?: typeof fetch | undefined;
  /** What tells the time and waits. */
  clock?: Clock | undefined;
}

/** Manages the service accounts of an organization, as one of them. */
export class ManagementClient {
  readonly serviceAccounts: ServiceAccounts;
  readonly auditEvents: AuditEvents;
  readonly tokens: Tokens;
  readonly #http: Http;
  readonly #accessTokens: AccessTokens;

  /** Sends nothing yet. Throws a `ConfigError` if it cannot be made from this. */
  constructor(config: ManagementClientConfig) {
    const baseUrl = url("baseUrl", config.baseUrl, config).replace(/\/+$/, "");
    if (baseUrl.includes("?")) {
      throw new ConfigError("baseUrl must not hold a query");
    }
    const { apiVersion = "v1", timeoutMs = 30_000, maxRetries = 2, clock = systemClock } = config;
    const { tokenUrl = `${baseUrl}/oauth2/token`, scopes = ["management:all"] } = config;
    const { audience = `${baseUrl}/api/${apiVersion}` } = config;
    const credentials = source(config.credentials);
    if (!(timeoutMs > 0)) {
      throw new ConfigError("timeoutMs must be a positive number of milliseconds");
    }
    // Late, so that a fetch that is put in its place later (for a trace, for a test) is used.
    const fetch: typeof globalThis.fetch = config.fetch ?? ((...request) => globalThis.fetch(...request));
    this.#http = new Http({ fetch, clock, timeoutMs, maxRetries, docsUrl: `${baseUrl}/openapi.json` });
    this.#accessTokens = new AccessTokens(this.#http, {
      url: url("tokenUrl", tokenUrl, config),
      credentials,
      scopes: [...scopes],
      audience,
    });
    const api = new Api(this.#http, this.#accessTokens, `${baseUrl}/api/${apiVersion}`);
    this.serviceAccounts = new ServiceAccounts(api);
    this.auditEvents = new AuditEvents(api);
    this.tokens = new Tokens(this.#http, baseUrl, credentials);
  }

  /** Gets a new access token now, whatever the one at hand is like. */
  async refreshToken(options: CallOptions = {}): Promise<void> {
    await this.#http.within(options, (deadline) => this.#accessTokens.renew(deadline));
  }

  /** Forgets the access token at hand; the next call gets a new one. */
  clearToken(): void {
    this.#accessTokens.clear();
  }
}

function source(credentials: ManagementClientConfig["credentials"]): () => Promise<Credentials> {
  if (typeof credentials === "function") {
    return async () => checked(await credentials());
  }
  const fixed = checked(credentials);
  return async () => fixed;
}

function checked(credentials: Credentials): Credentials {
  const { clientId, clientSecret } = credentials ?? {};
  if (!clientId || !clientSecret || typeof clientId !== "string" || typeof clientSecret !== "string") {
    throw new ConfigError(
      "credentials must have a clientId and a clientSecret, as create and rotateSecret answer them",
    );
  }
  return { clientId, clientSecret };
}

/** A URL that secrets may be sent to. What is wrong with it is said without repeating it: it may hold a password. */
function url(name: string, text: string, { allowInsecureHttp = false }: ManagementClientConfig): string {
  let parsed: URL;
  try {
    parsed = new URL(text);
  } catch {
    throw new ConfigError(`${name} must be an absolute URL, like https://prokura.example.com`);
  }
  const { protocol, hostname, username, password, hash } = parsed;
  if (protocol !== "https:" && protocol !== "http:") {
    throw new ConfigError(`${name} must begin with https:// (or http:// on this machine)`);
  }
  // RFC 6749 §3.2: the token endpoint needs TLS.
  if (protocol === "http:" && !isLoopback(hostname) && !allowInsecureHttp) {
    throw new ConfigError(`${name} must begin with https://, since secrets go there; allowInsecureHttp overrides this`);
  }
  if (username || password || hash) {
    throw new ConfigError(`${name} must not hold a user, a password or a fragment`);
  }
  return text;
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
