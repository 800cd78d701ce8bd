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

/** The claims of a token (RFC 7662 §2.2). A response about an inactive token contains `active` only. */
export interface IntrospectionResponse {
  /** Whether the token is active. */
  active: boolean;
  /** The scopes of the token, separated by spaces. */
  scope?: string;
  /** The client that the token was issued to. */
  client_id?: string;
  /** `Bearer`. */
  token_type?: string;
  /** When the token expires, in seconds since the Unix epoch. */
  exp?: number;
  /** When the token was issued, in seconds since the Unix epoch. */
  iat?: number;
  /** The subject of the token: the client ID. */
  sub?: string;
  /** The resource that the token is for. */
  aud?: string;
  /** The issuer of the token. */
  iss?: string;
  /** The ID of the token. */
  jti?: string;
  /** The ID of the organization that the client belongs to. An API that is shared by organizations must check it. */
  organization_id?: string;
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
   * Introspects a token (RFC 7662). Requires the scope `tokens:introspect`. A token of another organization is inactive.
   */
  async introspect(token: string, options: CallOptions = {}): Promise<IntrospectionResponse> {
    const { request, answer } = await this.#post("/oauth2/introspect", token, options);
    const body = parseObject(answer.text);
    if (typeof body["active"] !== "boolean") {
      throw this.#http.refusal(request, answer);
    }
    return body as unknown as IntrospectionResponse;
  }

  /** Revokes one of the client's own tokens (RFC 7009). An inactive token, or one of another client, is a success. */
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
