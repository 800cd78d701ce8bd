// Retries and idempotency keys. The rules themselves are checked row by row in behaviour.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isRateLimitedError } from "@prokura/sdk";
import { breakOff, inTurn, reply, startStandIn } from "./harness/stand-in.js";

const ID = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";
const created = reply(201, { serviceAccount: {}, credentials: {} });
const emptyList = reply(200, { items: [] });

test("a retry waits as long as the server asks and keeps the idempotency key", async (t) => {
  const standIn = await startStandIn(t, inTurn(reply(429, "", { "retry-after": "7" }), created));
  const call = standIn.client().serviceAccounts.create({ name: "CI" });
  const pause = await standIn.clock.pass();
  assert.ok(pause >= 7_125 && pause <= 7_250, `${pause}`);
  await call;
  const [first, second] = standIn.requests;
  assert.equal(standIn.requests.length, 2);
  assert.deepEqual(second, first);
  // RFC 9651 §3.3.3: a string has quotes.
  assert.match(
    String(first?.headers["idempotency-key"]),
    /^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$/,
  );
});

test("the error after the last retry is the server's last answer", async (t) => {
  const body = { message: "try again", statusCode: 503, code: "temporarily_unavailable", requestId: "r-1" };
  const standIn = await startStandIn(t, reply(503, body));
  const call = standIn.client({ maxRetries: 1 }).serviceAccounts.list();
  await standIn.clock.pass();
  await assert.rejects(call, { statusCode: 503, code: "temporarily_unavailable", requestId: "r-1" });
  assert.equal(standIn.requests.length, 2);
});

test("maxRetries: 0 turns retries off", async (t) => {
  const standIn = await startStandIn(t, reply(503));
  await assert.rejects(standIn.client({ maxRetries: 0 }).serviceAccounts.list(), { statusCode: 503 });
  assert.equal(standIn.requests.length, 1);
});

test("a pause that would pass the deadline fails the call at once", async (t) => {
  for (const seconds of ["31", "99999999999999999999"]) {
    const standIn = await startStandIn(t, reply(429, "", { "retry-after": seconds }));
    await assert.rejects(standIn.client().serviceAccounts.list(), (error) => {
      assert.ok(isRateLimitedError(error));
      assert.equal(error.retryAfter, Number(seconds));
      return true;
    });
    assert.equal(standIn.requests.length, 1);
  }
});

test("a token request is retried like any other", async (t) => {
  const standIn = await startStandIn(t, emptyList, inTurn(breakOff, reply(503), reply(200)));
  const call = standIn.client().serviceAccounts.list();
  await standIn.clock.pass();
  await standIn.clock.pass();
  await call;
  assert.equal(standIn.tokenRequests.length, 3);
});

test("each call has its own idempotency key, or the one it was given", async (t) => {
  const standIn = await startStandIn(t, created);
  const { serviceAccounts } = standIn.client();
  await serviceAccounts.create({ name: "CI" });
  await serviceAccounts.create({ name: "CI" });
  await serviceAccounts.create({ name: "CI" }, { idempotencyKey: 'deploy "7\\8"' });
  await serviceAccounts.rotateSecret(ID, undefined, { idempotencyKey: "k" });
  await serviceAccounts.addSecret(ID, undefined, { idempotencyKey: "k" });
  const keys = standIn.requests.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(new Set(keys.slice(0, 3)).size, 3);
  assert.deepEqual(keys.slice(2), ['"deploy \\"7\\\\8\\""', '"k"', '"k"']);
  for (const bad of ["", "schlüssel", "a\nb"]) {
    await assert.rejects(serviceAccounts.create({ name: "CI" }, { idempotencyKey: bad }), TypeError);
    await assert.rejects(serviceAccounts.update(ID, { name: "CI" }, { ifMatch: bad }), TypeError);
  }
  assert.equal(standIn.requests.length, 5);
});
