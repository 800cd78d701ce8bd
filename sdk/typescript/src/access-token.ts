/**
 * The client's own access token: kept as long as it is good, one request for it at a time.
 *
 * @module
 */

import { type Http, type Outgoing, record, whole } from "./http.js";
import { Deadline } from "./time.js";

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
  credentials: () => Credentials | Promise<Credentials>;
  scopes: readonly string[];
  audience: string;
  timeoutMs: number;
}

interface AccessToken {
  value: string;
  /** When to get another one, in milliseconds since the Unix epoch. */
  renewAt: number;
}

/** Renewed this long before it ends, or when a tenth of its life is left. */
const EARLY_MS = 60_000;

export class AccessTokens {
  readonly #http: Http;
  readonly #request: TokenRequest;
  #current: AccessToken | undefined;
  #coming: Promise<string> | undefined;

  constructor(http: Http, request: TokenRequest) {
    this.#http = http;
    this.#request = request;
  }

  /** The token, a new one if need be. */
  get(): Promise<string> {
    const current = this.#current;
    return current && this.#http.clock.now() < current.renewAt ? Promise.resolve(current.value) : this.renew();
  }

  /** Another token than this one, which was refused. */
  replace(refused: string): Promise<string> {
    if (this.#current?.value === refused) {
      this.#current = undefined;
    }
    return this.get();
  }

  /** A new token. Whoever asks while one is on its way waits for that one. */
  renew(): Promise<string> {
    if (this.#coming) {
      return this.#coming;
    }
    const coming = this.#issue().then(
      (token) => {
        if (this.#ends(coming)) {
          this.#current = token;
        }
        return token.value;
      },
      (error: unknown) => {
        this.#ends(coming);
        throw error;
      },
    );
    this.#coming = coming;
    return coming;
  }

  /** Forgets the token, and the one on its way. */
  clear(): void {
    this.#current = undefined;
    this.#coming = undefined;
  }

  /** Whether it was still being waited for, and not forgotten meanwhile. */
  #ends(coming: Promise<string>): boolean {
    const isWanted = this.#coming === coming;
    if (isWanted) {
      this.#coming = undefined;
    }
    return isWanted;
  }

  /** RFC 6749 §4.4. */
  async #issue(): Promise<AccessToken> {
    const { url, scopes, audience, timeoutMs } = this.#request;
    const form = new URLSearchParams({ grant_type: "client_credentials", audience });
    if (scopes.length > 0) {
      form.set("scope", scopes.join(" "));
    }
    const request = formRequest(url, form, await this.#request.credentials());
    const { clock } = this.#http;
    // Not the deadline of whoever asked first: others wait for it too.
    const deadline = new Deadline(clock, timeoutMs, undefined);
    try {
      // Its life is counted from before it was asked for, so that it ends later than we believe, not earlier.
      const askedAt = clock.now();
      const { response, text } = await this.#http.send(request, deadline, whole);
      const token = accessToken(record(text), askedAt);
      if (!token) {
        throw this.#http.refusal(request, response, "");
      }
      return token;
    } finally {
      deadline.close();
    }
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
