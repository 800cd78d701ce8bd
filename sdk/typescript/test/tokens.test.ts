// Introspection and revocation, against the real server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isForbiddenError, isOAuthError } from "@prokura/sdk/management";
import { startProkura } from "./harness/prokura.js";
import { reply, startStandIn } from "./harness/stand-in.js";

const server = await startProkura();
const { clientId, clientSecret } = server.bootstrap;

async function token(): Promise<string> {
  const response = await fetch(`${server.url}/oauth2/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

test("a token is introspected and revoked", async () => {
  const { tokens } = server.client();
  const living = await token();
  const said = await tokens.introspect(living);
  assert.equal(said.active, true);
  assert.equal(said.client_id, clientId);
  assert.equal(said.aud, `${server.url}/api/v1`);
  assert.equal(said.scope, "management:all");
  assert.equal(await tokens.revoke(living), undefined);
  assert.deepEqual(await tokens.introspect(living), { active: false });
  await tokens.revoke("not a token");
});

test("introspection without the scope is an OAuth error", async () => {
  const scopes = ["management:service-accounts:read"];
  const { credentials } = await server.client().serviceAccounts.create({ name: "reader", scopes });
  await assert.rejects(server.client({ credentials }).tokens.introspect("t"), (error) => {
    assert.ok(isOAuthError(error) && isForbiddenError(error));
    assert.equal(error.errorCode, "insufficient_scope");
    assert.ok(error.requestId);
    return true;
  });
});

test("an introspection response without `active` is an unexpected response", async (t) => {
  const standIn = await startStandIn(t, reply(200, { scope: "management:all" }));
  await assert.rejects(standIn.client().tokens.introspect("t"), { code: "unexpected_response" });
});
