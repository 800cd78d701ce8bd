/**
 * The client's own access token: kept as long as it is good, one request for it at a time.
 *
 * @module
 */

import { type Http, type Outgoing, record, whole } from "./http.js";
import type { Deadline } from "./time.js";

/** What a service account authenticates with. */
export interface Credentials {
  /** `sa_` and the id of the account. */
  clientId: string;
  /** Its secret. */
  clientSecret: string;
}

export interface TokenRequest {
  url: string;
  /** Asked at each request for a token, so that a secret that was rotated elsewhere can be followed. */
  credentials: () => Promise<Credentials>;
  scopes: readonly string[];
  audience: string;
}

interface AccessToken {
  value: string;
  /** When to get another one, in milliseconds since the Unix epoch. */
  renewAt: number;
}

/** A token on its way, and how many wait for it. */
interface Coming {
  token: Promise<AccessToken>;
  waiters: number;
  /** Aborted when nobody waits any more. */
  abandoned: AbortController;
}

/** Renewed this long before it ends, or when a tenth of its life is left. */
const EARLY_MS = 60_000;

export class AccessTokens {
  readonly #http: Http;
  readonly #request: TokenRequest;
  #current: AccessToken | undefined;
  #coming: Coming | undefined;

  constructor(http: Http, request: TokenRequest) {
    this.#http = http;
    this.#request = request;
  }

  /** The token, a new one if need be. */
  async get(deadline: Deadline): Promise<string> {
    const current = this.#current;
    return current && this.#http.clock.now() < current.renewAt ? current.value : await this.renew(deadline);
  }

  /** Another token than this one, which was refused. */
  async replace(refused: string, deadline: Deadline): Promise<string> {
    if (this.#current?.value === refused) {
      this.#current = undefined;
    }
    return await this.get(deadline);
  }

  /** A new token. Whoever asks while one is on its way waits for that one; whoever gives up, gives up alone. */
  async renew(deadline: Deadline): Promise<string> {
    const coming = (this.#coming ??= this.#ask());
    coming.waiters += 1;
    try {
      const token = await deadline.wait(coming.token);
      // Unless it was forgotten meanwhile.
      if (this.#coming === coming) {
        this.#current = token;
        this.#coming = undefined;
      }
      return token.value;
    } finally {
      coming.waiters -= 1;
      if (coming.waiters === 0) {
        coming.abandoned.abort();
        this.#coming = this.#coming === coming ? undefined : this.#coming;
      }
    }
  }

  /** Forgets the token, and the one on its way. */
  clear(): void {
    this.#current = undefined;
    this.#coming = undefined;
  }

  #ask(): Coming {
    const abandoned = new AbortController();
    return { token: this.#issue(abandoned.signal), waiters: 0, abandoned };
  }

  /** RFC 6749 §4.4. */
  async #issue(abandoned: AbortSignal): Promise<AccessToken> {
    const { url, credentials, scopes, audience } = this.#request;
    const form = new URLSearchParams({ grant_type: "client_credentials", audience });
    if (scopes.length > 0) {
      form.set("scope", scopes.join(" "));
    }
    // Not the deadline of whoever asked first: others may wait longer.
    return await this.#http.within({ signal: abandoned }, async (deadline) => {
      const request = formRequest(url, form, await deadline.wait(credentials()));
      // Its life is counted from before it was asked for, so that it ends later than we believe, not earlier.
      const askedAt = this.#http.clock.now();
      const { response, text } = await this.#http.send(request, deadline, whole);
      const token = accessToken(record(text), askedAt);
      if (!token) {
        throw this.#http.refusal(request, response, "");
      }
      return token;
    });
  }
}

/** A request to an OAuth endpoint by a client that says who it is. All of them may be repeated. */
export function formRequest(url: string, form: URLSearchParams, credentials: Credentials): Outgoing {
  return {
    method: "POST",
    url,
    headers: new Headers({
      accept: "application/json",
      authorization: `Basic ${basic(credentials)}`,
      "content-type": "application/x-www-form-urlencoded",
    }),
    body: form.toString(),
    isRepeatable: true,
    isOAuth: true,
  };
}

/** RFC 6749 §2.3.1: both halves encoded as in a form, then as in RFC 7617. */
function basic({ clientId, clientSecret }: Credentials): string {
  const encoded = (text: string) => new URLSearchParams({ _: text }).toString().slice(2);
  return btoa(`${encoded(clientId)}:${encoded(clientSecret)}`);
}

/** RFC 6749 §5.1. `undefined`: it is no bearer token (RFC 6750 §2.1). */
function accessToken(body: Record<string, unknown>, askedAt: number): AccessToken | undefined {
  const { access_token: value, token_type: type, expires_in: lifetime } = body;
  const isToken = typeof value === "string" && /^[A-Za-z0-9\-._~+/]+=*$/.test(value);
  const isBearer = typeof type === "string" && type.toLowerCase() === "bearer";
  // A recommended member: without it the token is good until somebody refuses it.
  const lifetimeMs = lifetime === undefined || lifetime === null ? Infinity : Number(lifetime) * 1000;
  if (!isToken || !isBearer || Number.isNaN(lifetimeMs)) {
    return undefined;
  }
  return { value, renewAt: askedAt + lifetimeMs - Math.min(EARLY_MS, lifetimeMs / 10) };
}
