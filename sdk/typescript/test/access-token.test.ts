// The access token of the client's own calls: requested once, reused, renewed and replaced.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isOAuthError, isUnauthorizedError, ManagementClient } from "@prokura/sdk/management";
import { startProkura } from "./harness/prokura.js";
import { hang, inTurn, type Received, reply, SECRET, startStandIn } from "./harness/stand-in.js";

const server = await startProkura();

function bearers(requests: Received[]): string[] {
  return requests.map(({ headers }) => headers.authorization?.replace("Bearer ", "") ?? "none");
}

test("a token request has the form of RFC 6749", async (t) => {
  const standIn = await startStandIn(t);
  await standIn.client({ credentials: { clientId: "sa_1", clientSecret: "a:b c%é" } }).serviceAccounts.list();
  const [request] = standIn.tokenRequests;
  assert.equal(request?.method, "POST");
  assert.equal(request.headers["content-type"], "application/x-www-form-urlencoded");
  // §2.3.1: both halves are form-encoded before they are joined.
  const encoded = Buffer.from("sa_1:a%3Ab+c%25%C3%A9").toString("base64");
  assert.equal(request.headers.authorization, `Basic ${encoded}`);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(request.body)), {
    grant_type: "client_credentials",
    scope: "management:all",
    audience: `${standIn.url}/api/v1`,
  });
});

test("scopes, audience, version and token endpoint can be configured", async (t) => {
  const elsewhere = await startStandIn(t);
  const standIn = await startStandIn(t);
  const client = standIn.client({
    baseUrl: `${standIn.url}/`,
    apiVersion: "v2",
    tokenUrl: `${elsewhere.url}/oauth2/token`,
    scopes: ["management:service-accounts:read", "tokens:introspect"],
  });
  await client.serviceAccounts.list();
  assert.equal(standIn.tokenRequests.length, 0);
  const form = new URLSearchParams(elsewhere.tokenRequests[0]?.body);
  assert.equal(form.get("scope"), "management:service-accounts:read tokens:introspect");
  assert.equal(form.get("audience"), `${standIn.url}/api/v2`);
  assert.equal(standIn.requests[0]?.path, "/api/v2/service-accounts");

  await standIn.client({ scopes: [], audience: "https://api.example.com" }).serviceAccounts.list();
  const other = new URLSearchParams(standIn.tokenRequests[0]?.body);
  assert.equal(other.get("scope"), null);
  assert.equal(other.get("audience"), "https://api.example.com");
});

test("any number of callers cause one token request", async (t) => {
  const standIn = await startStandIn(t);
  const client = standIn.client();
  await Promise.all(Array.from({ length: 20 }, () => client.serviceAccounts.list()));
  await client.serviceAccounts.list();
  assert.equal(standIn.requests.length, 21);
  assert.deepEqual([...new Set(bearers(standIn.requests))], ["token-1"]);
  assert.equal(standIn.tokenRequests.length, 1);
});

test("a renewal does not make calls wait", async (t) => {
  let arrive = () => {};
  const renewed = new Promise<void>((resolve) => (arrive = resolve));
  const standIn = await startStandIn(
    t,
    reply(200, { items: [] }),
    inTurn(reply(200), () => renewed.then(() => ({}))),
  );
  const { serviceAccounts } = standIn.client();
  await serviceAccounts.list();
  standIn.clock.advance(3_400_000);
  await serviceAccounts.list();
  await standIn.receivedTokenRequests(2);
  await serviceAccounts.list();
  arrive();
  while (!bearers(standIn.requests).includes("token-2")) {
    await serviceAccounts.list();
  }
  assert.deepEqual(bearers(standIn.requests.slice(0, 3)), ["token-1", "token-1", "token-1"]);
  assert.equal(standIn.tokenRequests.length, 2);
});

test("a renewal that fails leaves the old token, and is not repeated for ten seconds", async (t) => {
  const refusal = reply(400, { error: "invalid_scope" });
  const standIn = await startStandIn(t, reply(200, { items: [] }), inTurn(reply(200), refusal, refusal, reply(200)));
  const { serviceAccounts } = standIn.client();
  await serviceAccounts.list();
  standIn.clock.advance(3_400_000);
  for (const requests of [2, 3]) {
    await serviceAccounts.list();
    await standIn.receivedTokenRequests(requests);
    while (standIn.clock.asleep > 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    standIn.clock.advance(9_999);
    await serviceAccounts.list();
    assert.equal(standIn.tokenRequests.length, requests);
    standIn.clock.advance(1);
  }
  assert.deepEqual([...new Set(bearers(standIn.requests))], ["token-1"]);

  // When the old token has expired, calls wait for the next request.
  standIn.clock.advance(200_000);
  await serviceAccounts.list();
  assert.deepEqual(bearers(standIn.requests).at(-1), "token-4");
});

test("a rejected token is replaced once for all calls that used it", async (t) => {
  const standIn = await startStandIn(t, ({ headers }) =>
    headers.authorization === "Bearer token-1" ? { status: 401 } : { body: { items: [] } },
  );
  const client = standIn.client();
  await Promise.all(Array.from({ length: 10 }, () => client.serviceAccounts.list()));
  assert.equal(standIn.requests.length, 20);
  assert.equal(standIn.tokenRequests.length, 2);
});

test("a second rejected token is not replaced", async (t) => {
  const standIn = await startStandIn(t, reply(401, { message: "no", statusCode: 401, code: "invalid_token" }));
  await assert.rejects(standIn.client().serviceAccounts.list(), isUnauthorizedError);
  assert.deepEqual(bearers(standIn.requests), ["token-1", "token-2"]);
  assert.equal(standIn.tokenRequests.length, 2);
});

test("a revoked token is replaced, against the real server", async () => {
  const client = server.client();
  const { serviceAccountId } = server.bootstrap;
  await client.serviceAccounts.revokeTokens(serviceAccountId);
  const { serviceAccount } = await client.serviceAccounts.get(serviceAccountId);
  assert.equal(serviceAccount.id, serviceAccountId);
});

test("refreshToken requests a new token, clearToken makes the next call request one", async (t) => {
  const standIn = await startStandIn(t);
  const client = standIn.client();
  assert.equal(await client.refreshToken(), undefined);
  await client.serviceAccounts.list();
  await client.refreshToken();
  await client.serviceAccounts.list();
  client.clearToken();
  assert.equal(standIn.tokenRequests.length, 2);
  await client.serviceAccounts.list();
  assert.deepEqual(bearers(standIn.requests), ["token-1", "token-2", "token-3"]);
});

test("a token in flight when clearToken is called is not kept", async (t) => {
  let arrive = () => {};
  const inFlight = new Promise<void>((resolve) => (arrive = resolve));
  const standIn = await startStandIn(
    t,
    reply(200, { items: [] }),
    inTurn(() => inFlight.then(() => ({})), reply(200)),
  );
  const client = standIn.client();
  const first = client.serviceAccounts.list();
  await standIn.receivedTokenRequests(1);
  client.clearToken();
  arrive();
  await first;
  await client.serviceAccounts.list();
  assert.equal(standIn.tokenRequests.length, 2);
});

test("a refresh that fails leaves the current token", async (t) => {
  const standIn = await startStandIn(
    t,
    reply(200, { items: [] }),
    inTurn(reply(200), reply(400, { error: "invalid_scope" })),
  );
  const client = standIn.client();
  await client.serviceAccounts.list();
  await assert.rejects(client.refreshToken(), isOAuthError);
  await client.serviceAccounts.list();
  assert.deepEqual(bearers(standIn.requests), ["token-1", "token-1"]);
});

test("a failed token request fails all waiting calls, but not the next one", async (t) => {
  const refusal = reply(400, { error: "invalid_scope", error_description: "a scope is unknown" });
  const standIn = await startStandIn(t, reply(200, { items: [] }), inTurn(refusal, reply(200)));
  const client = standIn.client();
  const calls = await Promise.allSettled([client.serviceAccounts.list(), client.serviceAccounts.list()]);
  for (const call of calls) {
    assert.equal(call.status, "rejected");
    assert.ok(isOAuthError(call.reason));
    assert.equal(call.reason.errorCode, "invalid_scope");
    assert.equal(call.reason.errorDescription, "a scope is unknown");
    assert.equal(call.reason.message, "a scope is unknown");
  }
  assert.equal(standIn.tokenRequests.length, 1);
  await client.serviceAccounts.list();
});

test("a call that stops waiting for a token does not end the request for the others", async (t) => {
  let arrive = () => {};
  const inFlight = new Promise<void>((resolve) => (arrive = resolve));
  const standIn = await startStandIn(t, reply(200, { items: [] }), () => inFlight.then(() => ({})));
  const client = standIn.client();
  const impatient = new AbortController();
  const gone = client.serviceAccounts.list({}, { signal: impatient.signal });
  const stays = client.serviceAccounts.list();
  await standIn.receivedTokenRequests(1);
  impatient.abort(new Error("enough"));
  await assert.rejects(gone, /enough/);
  arrive();
  assert.deepEqual(await stays, { items: [] });
  assert.equal(standIn.requests.length, 1);
});

test("a token request is aborted when no call waits for it any more", async (t) => {
  let closed = () => {};
  const isClosed = new Promise<void>((resolve) => (closed = resolve));
  const standIn = await startStandIn(
    t,
    reply(200, { items: [] }),
    inTurn((request, response) => {
      response.on("close", closed);
      return hang(request, response);
    }, reply(200)),
  );
  const client = standIn.client();
  const controller = new AbortController();
  const calls = [client.refreshToken({ signal: controller.signal }), client.refreshToken({ timeoutMs: 5_000 })];
  const results = Promise.allSettled(calls);
  await standIn.receivedTokenRequests(1);
  controller.abort(new Error("enough"));
  standIn.clock.advance(5_000);
  assert.deepEqual(
    (await results).map(({ status }) => status),
    ["rejected", "rejected"],
  );
  await isClosed;
  assert.equal(standIn.clock.asleep, 0);
  await client.serviceAccounts.list();
  assert.equal(standIn.tokenRequests.length, 2);
});

test("incomplete credentials are not sent", async (t) => {
  const standIn = await startStandIn(t);
  const client = standIn.client({ credentials: () => JSON.parse('{ "clientId": "sa_1" }') });
  await assert.rejects(client.serviceAccounts.list(), { code: "invalid_config" });
  await assert.rejects(client.tokens.revoke("t"), { code: "invalid_config" });
  assert.equal(standIn.tokenRequests.length + standIn.requests.length, 0);
});

test("a credentials function that never returns times out", async (t) => {
  const standIn = await startStandIn(t);
  const client = standIn.client({ credentials: () => new Promise(() => {}) });
  const calls = [client.serviceAccounts.list(), client.tokens.introspect("t"), client.refreshToken()];
  const results = Promise.allSettled(calls);
  await standIn.clock.sleepers(4);
  standIn.clock.advance(30_000);
  for (const result of await results) {
    assert.ok(result.status === "rejected");
    assert.equal(result.reason.code, "timeout");
    assert.match(result.reason.message, / did not answer within 30 s$/);
  }
});

test("a token endpoint that never answers times out", async (t) => {
  const standIn = await startStandIn(t, reply(200), hang);
  const call = standIn.client({ maxRetries: 0 }).serviceAccounts.list({}, { timeoutMs: 60_000 });
  await standIn.receivedTokenRequests(1);
  standIn.clock.advance(10_000);
  const message = `${standIn.url}/oauth2/token did not answer within 10 s`;
  await assert.rejects(call, { name: "TimeoutError", code: "timeout", message });
});

test("a response without a token is not quoted", async (t) => {
  const standIn = await startStandIn(t, reply(200), reply(200, `<p>${SECRET}</p>`));
  await assert.rejects(standIn.client().serviceAccounts.list(), (error: Error) => {
    assert.equal(JSON.parse(JSON.stringify(error)).code, "unexpected_response");
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
  assert.equal(standIn.requests.length, 0);
});

test("a credentials function picks up a rotated secret", async () => {
  const root = server.client();
  const { serviceAccount, credentials } = await root.serviceAccounts.create({ name: "rotates" });
  let current = credentials;
  const client = new ManagementClient({ baseUrl: server.url, credentials: async () => current });
  await client.serviceAccounts.list();
  ({ credentials: current } = await root.serviceAccounts.rotateSecret(serviceAccount.id, { revokeTokens: true }));
  await client.serviceAccounts.list();

  const stale = new ManagementClient({ baseUrl: server.url, credentials });
  await assert.rejects(stale.serviceAccounts.list(), (error) => isOAuthError(error) && isUnauthorizedError(error));
});
