/**
 * How a client authenticates at the OAuth endpoints.
 *
 * @module
 */

import { ConfigError } from "./errors.js";
import type { Outgoing } from "./request.js";

/** A client ID and its secret. */
export interface ClientCredentials {
  /** `sa_` and the ID of the service account. */
  clientId: string;
  /** One of the secrets of the service account. */
  clientSecret: string;
}

/** Client credentials, or a function that returns them. The function is called for each token request. */
export type CredentialsSource = ClientCredentials | (() => ClientCredentials | Promise<ClientCredentials>);

/** Turns either form into a function. Throws a `ConfigError` if fixed credentials are incomplete. */
export function credentialsFunction(source: CredentialsSource): () => Promise<ClientCredentials> {
  if (typeof source === "function") {
    return async () => checked(await source());
  }
  const fixed = checked(source);
  return async () => fixed;
}

function checked(credentials: ClientCredentials): ClientCredentials {
  const { clientId, clientSecret } = credentials ?? {};
  if (!clientId || !clientSecret || typeof clientId !== "string" || typeof clientSecret !== "string") {
    throw new ConfigError(
      "credentials must have a clientId and a clientSecret",
      "pass the credentials that create, rotateSecret or addSecret returned",
    );
  }
  return { clientId, clientSecret };
}

/** A form for an OAuth endpoint, authenticated by HTTP Basic. Every such request can be repeated. */
export function formRequest(url: string, form: URLSearchParams, credentials: ClientCredentials): Outgoing {
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

/** RFC 6749 §2.3.1: both halves are form-encoded, then joined as in RFC 7617. */
function basic({ clientId, clientSecret }: ClientCredentials): string {
  const encoded = (text: string) => new URLSearchParams({ _: text }).toString().slice(2);
  return btoa(`${encoded(clientId)}:${encoded(clientSecret)}`);
}
