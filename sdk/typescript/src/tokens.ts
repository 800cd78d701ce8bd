/**
 * Introspection and revocation of access tokens.
 *
 * @module
 */

import { type ClientCredentials, formRequest } from "./credentials.js";
import type { CallOptions } from "./deadline.js";
import type { Http } from "./http.js";
import { parseObject } from "./json.js";
import { readAnswer } from "./request.js";

/** The state of a token (RFC 7662 §2.2). A token that is not active has no other member. */
export interface IntrospectionResponse {
  /** Whether the token is valid now. */
  active: boolean;
  /** The scopes that it grants, separated by spaces. */
  scope?: string;
  /** The client that it was issued to. */
  client_id?: string;
  /** `Bearer`. */
  token_type?: string;
  /** When it expires, in seconds since the Unix epoch. */
  exp?: number;
  /** When it was issued, in seconds since the Unix epoch. */
  iat?: number;
  /** The subject: the client ID. */
  sub?: string;
  /** The resource that it is for. */
  aud?: string;
  /** The server that issued it. */
  iss?: string;
  /** The ID of the token. */
  jti?: string;
}

/** The OAuth endpoints for access tokens. The client authenticates with its credentials, not with a token. */
export class Tokens {
  readonly #http: Http;
  readonly #baseUrl: string;
  readonly #credentials: () => Promise<ClientCredentials>;

  /** @internal */
  constructor(http: Http, baseUrl: string, credentials: () => Promise<ClientCredentials>) {
    this.#http = http;
    this.#baseUrl = baseUrl;
    this.#credentials = credentials;
  }

  /**
   * Returns the state of a token (RFC 7662). Requires the scope `tokens:introspect`. For a token that is not valid, or that
   * belongs to another organization, `active` is `false`.
   */
  async introspect(token: string, options: CallOptions = {}): Promise<IntrospectionResponse> {
    const { request, answer } = await this.#post("/oauth2/introspect", token, options);
    const body = parseObject(answer.text);
    if (typeof body["active"] !== "boolean") {
      throw this.#http.refusal(request, answer);
    }
    return body as unknown as IntrospectionResponse;
  }

  /** Revokes one of the client's own tokens (RFC 7009). A token that is not valid, or not the client's, is a success. */
  async revoke(token: string, options: CallOptions = {}): Promise<void> {
    await this.#post("/oauth2/revoke", token, options);
  }

  async #post(path: string, token: string, options: CallOptions) {
    return await this.#http.within(options, async (deadline) => {
      const credentials = await deadline.wait("the credentials function", this.#credentials());
      const request = formRequest(this.#baseUrl + path, new URLSearchParams({ token }), credentials);
      return { request, answer: await this.#http.send(request, deadline, readAnswer) };
    });
  }
}
