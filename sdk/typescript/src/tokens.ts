/**
 * Anybody's tokens, at the OAuth endpoints.
 *
 * @module
 */

import { type Credentials, formRequest } from "./access-token.js";
import { type Http, record, whole } from "./http.js";
import type { CallOptions } from "./time.js";

/** What a token says (RFC 7662 §2.2). Of a token that is not active, only that. */
export interface IntrospectionResponse {
  /** Whether the token lives. */
  active: boolean;
  /** What it allows: scopes separated by spaces. */
  scope?: string;
  /** The client it was issued to. */
  client_id?: string;
  /** `Bearer`. */
  token_type?: string;
  /** When it ends, in seconds since the Unix epoch. */
  exp?: number;
  /** When it was issued, in seconds since the Unix epoch. */
  iat?: number;
  /** Whom it stands for: the client id. */
  sub?: string;
  /** The resource it is for. */
  aud?: string;
  /** Who issued it. */
  iss?: string;
  /** Its id. */
  jti?: string;
}

export class Tokens {
  readonly #http: Http;
  readonly #baseUrl: string;
  readonly #credentials: () => Promise<Credentials>;

  /** @internal */
  constructor(http: Http, baseUrl: string, credentials: () => Promise<Credentials>) {
    this.#http = http;
    this.#baseUrl = baseUrl;
    this.#credentials = credentials;
  }

  /** Whether a token of the organization lives, and what it says (RFC 7662). The client must hold `tokens:introspect`. */
  async introspect(token: string, options: CallOptions = {}): Promise<IntrospectionResponse> {
    const { request, response, text } = await this.#post("/oauth2/introspect", token, options);
    const body = record(text);
    if (typeof body["active"] !== "boolean") {
      throw this.#http.refusal(request, response, "");
    }
    return body as unknown as IntrospectionResponse;
  }

  /** Ends one of the client's own tokens (RFC 7009). Whatever else the token is, that is a success without effect. */
  async revoke(token: string, options: CallOptions = {}): Promise<void> {
    await this.#post("/oauth2/revoke", token, options);
  }

  async #post(path: string, token: string, options: CallOptions) {
    return await this.#http.within(options, async (deadline) => {
      const credentials = await deadline.wait(this.#credentials());
      const request = formRequest(this.#baseUrl + path, new URLSearchParams({ token }), credentials);
      return { request, ...(await this.#http.send(request, deadline, whole)) };
    });
  }
}
