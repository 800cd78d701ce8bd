/**
 * The client and its configuration.
 *
 * @module
 */

import { Api } from "./api.js";
import { AuditEvents } from "./audit-events.js";
import { type Clock, systemClock } from "./clock.js";
import { credentialsFunction, type CredentialsSource } from "./credentials.js";
import type { CallOptions } from "./deadline.js";
import { ConfigError } from "./errors.js";
import { Http } from "./http.js";
import { ServiceAccounts } from "./service-accounts.js";
import { TokenSource } from "./token-source.js";
import { Tokens } from "./tokens.js";

/** The configuration of a {@link ManagementClient}. */
export interface ManagementClientConfig {
  /** The public URL of the server, without `/api/v1`. */
  baseUrl: string;
  /** The credentials of the service account, or a function that returns them. It is called for each token request. */
  credentials: CredentialsSource;
  /** The version of the API. Default: `v1`. */
  apiVersion?: string | undefined;
  /** The token endpoint. Default: `${baseUrl}/oauth2/token`. */
  tokenUrl?: string | undefined;
  /** The scopes to request. Default: `["management:all"]`. An empty array requests all scopes that the account has. */
  scopes?: readonly string[] | undefined;
  /** The resource that the token is for. Default: `${baseUrl}/api/${apiVersion}`. */
  audience?: string | undefined;
  /**
   * How long a call may take, in milliseconds: the token request, every retry, and every pause before a retry. Default:
   * 30,000. If a pause would pass this time, the call fails at once.
   */
  timeoutMs?: number | undefined;
  /** How long one attempt may take, in milliseconds. Default: 10,000. */
  attemptTimeoutMs?: number | undefined;
  /** How often a request is sent again. Default: 3. */
  maxRetries?: number | undefined;
  /**
   * Accepts `http://` URLs of other machines, to which secrets and tokens are sent unencrypted. For networks that encrypt
   * below HTTP. URLs of this machine are always accepted.
   */
  allowPlainHttp?: boolean | undefined;
  /** Sends the requests. Default: the runtime's `fetch`. */
  fetch?: typeof fetch | undefined;
  /** Tells the time and waits. Default: the system's clock. */
  clock?: Clock | undefined;
}

/** A client of one Prokura server: its management API, introspection and revocation. */
export class ManagementClient {
  readonly serviceAccounts: ServiceAccounts;
  readonly auditEvents: AuditEvents;
  readonly tokens: Tokens;
  readonly #http: Http;
  readonly #tokenSource: TokenSource;

  /** Sends nothing before the first call. Throws a `ConfigError` if the configuration is invalid. */
  constructor(config: ManagementClientConfig) {
    const baseUrl = url("baseUrl", config.baseUrl, config).replace(/\/+$/, "");
    if (baseUrl.includes("?")) {
      throw new ConfigError("baseUrl must not have a query");
    }
    const { apiVersion = "v1", maxRetries = 3, clock = systemClock } = config;
    const { tokenUrl = `${baseUrl}/oauth2/token`, scopes = ["management:all"] } = config;
    const { audience = `${baseUrl}/api/${apiVersion}` } = config;
    const credentials = credentialsFunction(config.credentials);
    const timeoutMs = positive("timeoutMs", config.timeoutMs ?? 30_000);
    const attemptTimeoutMs = positive("attemptTimeoutMs", config.attemptTimeoutMs ?? 10_000);
    // Looked up at each request, so that a global fetch that is replaced later (for tracing or tests) is used.
    const fetch: typeof globalThis.fetch = config.fetch ?? ((...request) => globalThis.fetch(...request));
    const docsUrl = `${baseUrl}/openapi.json`;
    this.#http = new Http({ fetch, clock, timeoutMs, attemptTimeoutMs, maxRetries, docsUrl });
    this.#tokenSource = new TokenSource(this.#http, {
      url: url("tokenUrl", tokenUrl, config),
      credentials,
      scopes: [...scopes],
      audience,
    });
    const api = new Api(this.#http, this.#tokenSource, `${baseUrl}/api/${apiVersion}`);
    this.serviceAccounts = new ServiceAccounts(api);
    this.auditEvents = new AuditEvents(api);
    this.tokens = new Tokens(this.#http, baseUrl, credentials);
  }

  /** Requests a new access token now, even if the current one is still valid. */
  async refreshToken(options: CallOptions = {}): Promise<void> {
    await this.#http.within(options, (deadline) => this.#tokenSource.renew(deadline));
  }

  /** Forgets the current access token. The next call requests a new one. */
  clearToken(): void {
    this.#tokenSource.clear();
  }
}

function positive(name: string, milliseconds: number): number {
  if (!(milliseconds > 0)) {
    throw new ConfigError(`${name} must be a positive number of milliseconds`);
  }
  return milliseconds;
}

/** Checks a URL to which secrets are sent. Errors do not quote it: it may contain a password. */
function url(name: string, text: string, { allowPlainHttp = false }: ManagementClientConfig): string {
  let parsed: URL;
  try {
    parsed = new URL(text);
  } catch {
    throw new ConfigError(`${name} is not a URL`, "pass an absolute URL, such as https://prokura.example.com");
  }
  const { protocol, hostname, username, password, hash } = parsed;
  if (username || password) {
    throw new ConfigError(`${name} must not contain credentials`, "pass the client ID and secret as credentials");
  }
  if (hash) {
    throw new ConfigError(`${name} must not have a fragment`);
  }
  if (protocol !== "https:" && protocol !== "http:") {
    throw new ConfigError(`${name} must begin with https:// or http://`);
  }
  // RFC 6749 §3.2: the token endpoint requires TLS.
  if (protocol === "http:" && !isLoopback(hostname) && !allowPlainHttp) {
    throw new ConfigError(
      `${name} must begin with https://, because secrets are sent to it`,
      "set allowPlainHttp if the network encrypts below HTTP",
    );
  }
  return text;
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
