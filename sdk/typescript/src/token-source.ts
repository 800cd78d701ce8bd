/**
 * Fresh access tokens for the client's own calls.
 *
 * @module
 */

import { type AccessToken, accessToken } from "./access-token.js";
import { type ClientCredentials, formRequest } from "./credentials.js";
import type { Deadline } from "./deadline.js";
import type { Http } from "./http.js";
import { parseObject } from "./json.js";
import { readAnswer } from "./request.js";

/** What to request, and where. */
export interface TokenRequest {
  url: string;
  /** Called for each token request, so the client picks up a rotated secret. */
  credentials: () => Promise<ClientCredentials>;
  scopes: readonly string[];
  audience: string;
}

/** A token request in flight. */
interface Flight {
  token: Promise<AccessToken>;
  /** How many calls wait for it. */
  waiters: number;
  /** Aborts the request. */
  abandoned: AbortController;
}

/** After a failed renewal, how long to wait before the next one while the old token is still valid. */
const RENEWAL_PAUSE_MS = 10_000;

/**
 * Keeps one access token and shares it among all calls.
 *
 * - The token is reused until shortly before it expires.
 * - It is renewed ahead of that in the background. Calls go on with the old token, even if the renewal fails.
 * - Only one token request is in flight. All callers that need a token wait for it, and a failure goes to all of them. A
 *   later call starts a new request.
 */
export class TokenSource {
  readonly #http: Http;
  readonly #request: TokenRequest;
  #current: AccessToken | undefined;
  #flight: Flight | undefined;
  #noRenewalBefore = -Infinity;

  constructor(http: Http, request: TokenRequest) {
    this.#http = http;
    this.#request = request;
  }

  /** A token that may be used now. */
  async token(deadline: Deadline): Promise<string> {
    const now = this.#http.clock.now();
    const current = this.#current;
    if (!current || now >= current.useUntil) {
      return await this.renew(deadline);
    }
    if (now >= current.renewAt && now >= this.#noRenewalBefore && !this.#flight) {
      // No call waits for this request. If it fails, the old token stays.
      this.#http.within({}, (deadline) => this.renew(deadline)).catch(() => {});
    }
    return current.value;
  }

  /** Drops a token that the server rejected. Does nothing if another token has already replaced it. */
  reject(token: string): void {
    if (this.#current?.value === token) {
      this.#current = undefined;
    }
  }

  /** A new token. Joins the request in flight, if there is one. A caller that gives up does not end it for the others. */
  async renew(deadline: Deadline): Promise<string> {
    const flight = (this.#flight ??= this.#start());
    flight.waiters += 1;
    try {
      return (await deadline.wait(this.#request.url, flight.token)).value;
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) {
        flight.abandoned.abort();
        this.#flight = this.#flight === flight ? undefined : this.#flight;
      }
    }
  }

  /** Forgets the token, and the one in flight. */
  clear(): void {
    this.#current = undefined;
    this.#flight = undefined;
  }

  #start(): Flight {
    const abandoned = new AbortController();
    const flight = { token: this.#issue(abandoned.signal), waiters: 0, abandoned };
    flight.token.then(
      (token) => this.#land(flight, token),
      () => this.#land(flight, undefined),
    );
    return flight;
  }

  /** Keeps the token of a request, unless the request was abandoned or forgotten. */
  #land(flight: Flight, token: AccessToken | undefined): void {
    if (this.#flight !== flight) {
      return;
    }
    this.#flight = undefined;
    this.#current = token ?? this.#current;
    this.#noRenewalBefore = token ? -Infinity : this.#http.clock.now() + RENEWAL_PAUSE_MS;
  }

  /** RFC 6749 §4.4. */
  async #issue(abandoned: AbortSignal): Promise<AccessToken> {
    const { url, credentials, scopes, audience } = this.#request;
    const form = new URLSearchParams({ grant_type: "client_credentials", audience });
    if (scopes.length > 0) {
      form.set("scope", scopes.join(" "));
    }
    // Not the deadline of the first caller: others may wait longer.
    return await this.#http.within({ signal: abandoned }, async (deadline) => {
      const request = formRequest(url, form, await deadline.wait("the credentials function", credentials()));
      const requestedAt = this.#http.clock.now();
      const answer = await this.#http.send(request, deadline, readAnswer);
      const token = accessToken(parseObject(answer.text), requestedAt);
      if (!token) {
        throw this.#http.refusal(request, answer);
      }
      return token;
    });
  }
}
