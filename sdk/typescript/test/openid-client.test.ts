// The npm package openid-client works with the server, given only its URL and credentials.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import * as oidc from "openid-client";
import { startProkura } from "./harness/prokura.js";

// openid-client needs Web Crypto as a global, which Node 18 does not have.
if (!("crypto" in globalThis)) {
  Object.assign(globalThis, { crypto: webcrypto });
}

const server = await startProkura();
const { clientId, clientSecret } = server.bootstrap;

for (const [how, authentication] of [
  ["Basic", oidc.ClientSecretBasic(clientSecret)],
  ["the body", oidc.ClientSecretPost(clientSecret)],
] as const) {
  for (const algorithm of ["oauth2", "oidc"] as const) {
    test(`discovery (${algorithm}), a token with credentials in ${how}, introspection, revocation`, async () => {
      // The server is on loopback, without TLS.
      const execute = [oidc.allowInsecureRequests];
      const url = new URL(server.url);
      const config = await oidc.discovery(url, clientId, undefined, authentication, { algorithm, execute });
      const metadata = config.serverMetadata();
      assert.equal(metadata.issuer, server.url);
      assert.ok(metadata.grant_types_supported?.includes("client_credentials"));

      const tokens = await oidc.clientCredentialsGrant(config, {
        scope: "management:all",
        resource: `${server.url}/api/v1`,
      });
      assert.equal(tokens.token_type, "bearer");
      assert.equal(tokens.scope, "management:all");
      assert.equal(tokens.expires_in, 3600);

      const said = await oidc.tokenIntrospection(config, tokens.access_token);
      assert.equal(said.active, true);
      assert.equal(said.client_id, clientId);
      assert.equal(said.sub, clientId);

      const list = new URL(`${server.url}/api/v1/service-accounts`);
      const response = await oidc.fetchProtectedResource(config, tokens.access_token, list, "GET");
      assert.equal(response.status, 200);
      assert.equal(((await response.json()) as { items: unknown[] }).items.length, 1);

      await oidc.tokenRevocation(config, tokens.access_token);
      assert.deepEqual(await oidc.tokenIntrospection(config, tokens.access_token), { active: false });
    });
  }

  test(`a wrong secret in ${how} gives an error that the library understands`, async () => {
    const wrong = how === "Basic" ? oidc.ClientSecretBasic("wrong") : oidc.ClientSecretPost("wrong");
    const execute = [oidc.allowInsecureRequests];
    const config = await oidc.discovery(new URL(server.url), clientId, undefined, wrong, { execute });
    await assert.rejects(oidc.clientCredentialsGrant(config), (error) => {
      // With Basic, the library reports the challenge (RFC 6749 §5.2).
      const isUnderstood =
        (error instanceof oidc.WWWAuthenticateChallengeError && error.status === 401) ||
        (error instanceof oidc.ResponseBodyError && error.error === "invalid_client");
      assert.ok(isUnderstood, String(error));
      return true;
    });
  });
}
