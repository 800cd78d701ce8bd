// What is sent again, when, and what never is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isHttpError, isNetworkError, isNotFoundError, isRateLimitedError, type ManagementClient } from "@prokura/sdk";
import { breakOff, type Handler, inTurn, reply, startStandIn } from "./harness/stand-in.js";

const ID = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";
const created = reply(201, { serviceAccount: {}, credentials: {} });
const emptyList = reply(200, { items: [] });

test("429 is waited out for as long as the server asks, and the call keeps its key", async (t) => {
  const standIn = await startStandIn(t, inTurn(reply(429, "", { "retry-after": "7" }), created));
  const call = standIn.client().serviceAccounts.create({ name: "CI" });
  const waited = await standIn.clock.pass();
  assert.ok(waited >= 7_250 && waited <= 7_500, `${waited}`);
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

test("Retry-After may be a date", async (t) => {
  const standIn = await startStandIn(
    t,
    inTurn(reply(503, "", { "retry-after": "Mon, 23 Nov 2026 12:00:05 GMT" }), emptyList),
  );
  const call = standIn.client().serviceAccounts.list();
  const waited = await standIn.clock.pass();
  assert.ok(waited >= 5_250 && waited <= 5_500, `${waited}`);
  await call;
});

test("without Retry-After the wait doubles, with jitter, until there were enough tries", async (t) => {
  const body = { message: "try again", statusCode: 503, code: "temporarily_unavailable", requestId: "r-1" };
  const standIn = await startStandIn(t, reply(503, body));
  const call = standIn.client({ maxRetries: 6 }).serviceAccounts.list();
  for (const most of [500, 1_000, 2_000, 4_000, 8_000, 8_000]) {
    const waited = await standIn.clock.pass();
    assert.ok(waited >= most / 2 && waited <= most, `${waited} of ${most}`);
  }
  await assert.rejects(call, { statusCode: 503, code: "temporarily_unavailable", requestId: "r-1" });
  assert.equal(standIn.requests.length, 7);
});

test("two tries more are made unless the client was told otherwise", async (t) => {
  for (const [config, tries] of [
    [{}, 3],
    [{ maxRetries: 0 }, 1],
  ] as const) {
    const standIn = await startStandIn(t, reply(503));
    const call = standIn.client(config).serviceAccounts.list();
    for (let retry = 1; retry < tries; retry += 1) {
      await standIn.clock.pass();
    }
    await assert.rejects(call, isHttpError);
    assert.equal(standIn.requests.length, tries);
  }
});

test("who would have to wait longer than he has time is told at once", async (t) => {
  const standIn = await startStandIn(t, reply(429, "", { "retry-after": "31" }));
  await assert.rejects(standIn.client().serviceAccounts.list(), (error) => {
    assert.ok(isRateLimitedError(error));
    assert.equal(error.retryAfter, 31);
    return true;
  });
  assert.equal(standIn.requests.length, 1);
});

test("what is wrong stays wrong, and is not sent again", async (t) => {
  for (const status of [400, 403, 404, 409, 412, 422, 500]) {
    const standIn = await startStandIn(t, reply(status));
    await assert.rejects(standIn.client().serviceAccounts.list(), { statusCode: status });
    assert.equal(standIn.requests.length, 1);
  }
});

test("a token request is sent again like any other", async (t) => {
  const standIn = await startStandIn(t, emptyList, inTurn(breakOff, reply(503), reply(200)));
  const call = standIn.client().serviceAccounts.list();
  await standIn.clock.pass();
  await standIn.clock.pass();
  await call;
  assert.equal(standIn.tokenRequests.length, 3);
});

interface Case {
  what: string;
  answer: Handler;
  call: (client: ManagementClient) => Promise<unknown>;
}

const account = reply(200, { serviceAccount: {}, credentials: {} });
const repeatable: Case[] = [
  { what: "get", answer: account, call: ({ serviceAccounts }) => serviceAccounts.get(ID) },
  { what: "create", answer: account, call: ({ serviceAccounts }) => serviceAccounts.create({ name: "CI" }) },
  { what: "rotateSecret", answer: account, call: ({ serviceAccounts }) => serviceAccounts.rotateSecret(ID) },
  { what: "addSecret", answer: account, call: ({ serviceAccounts }) => serviceAccounts.addSecret(ID) },
  { what: "update", answer: account, call: ({ serviceAccounts }) => serviceAccounts.update(ID, { name: "CI" }) },
  { what: "revoke", answer: reply(204), call: ({ serviceAccounts }) => serviceAccounts.revoke(ID) },
  { what: "deleteSecret", answer: reply(204), call: ({ serviceAccounts }) => serviceAccounts.deleteSecret(ID, ID) },
  { what: "revokeTokens", answer: reply(204), call: ({ serviceAccounts }) => serviceAccounts.revokeTokens(ID) },
  { what: "tokens.introspect", answer: reply(200, { active: false }), call: ({ tokens }) => tokens.introspect("t") },
  { what: "tokens.revoke", answer: reply(200), call: ({ tokens }) => tokens.revoke("t") },
];
const not: Case[] = [
  { what: "cancelRotation", answer: account, call: ({ serviceAccounts }) => serviceAccounts.cancelRotation(ID) },
  {
    what: "update with ifMatch",
    answer: account,
    call: ({ serviceAccounts }) => serviceAccounts.update(ID, { name: "CI" }, { ifMatch: '"1"' }),
  },
  {
    what: "revokeTokens with ifMatch",
    answer: reply(204),
    call: ({ serviceAccounts }) => serviceAccounts.revokeTokens(ID, { ifMatch: '"1"' }),
  },
];

for (const failure of [breakOff, reply(502), reply(504)]) {
  const how = failure === breakOff ? "a connection that breaks" : "an answer from a proxy alone";

  for (const { what, answer, call } of repeatable) {
    test(`${what} is sent again, the same, after ${how}`, async (t) => {
      const standIn = await startStandIn(t, inTurn(failure, answer));
      const done = call(standIn.client());
      await standIn.clock.pass();
      await done;
      assert.equal(standIn.requests.length, 2);
      assert.deepEqual(standIn.requests[1], standIn.requests[0]);
    });
  }

  for (const { what, answer, call } of not) {
    test(`${what} is not sent again after ${how}: it may have been done`, async (t) => {
      const standIn = await startStandIn(t, inTurn(failure, answer));
      await assert.rejects(call(standIn.client()), failure === breakOff ? isNetworkError : isHttpError);
      assert.equal(standIn.requests.length, 1);
    });
  }
}

test("an answer that breaks off is asked for again", async (t) => {
  const half: Handler = (_, response) => {
    response.writeHead(200, { "content-length": "100" }).write('{"items":[');
    setImmediate(() => response.destroy());
    return undefined;
  };
  const standIn = await startStandIn(t, inTurn(half, emptyList));
  const call = standIn.client().serviceAccounts.list();
  await standIn.clock.pass();
  assert.deepEqual(await call, { items: [] });
});

test("what an earlier try has deleted is not missed by the next", async (t) => {
  const gone = reply(404, { message: "there is no such service account", code: "service_account_not_found" });
  for (const failure of [breakOff, reply(503), reply(504)]) {
    const standIn = await startStandIn(t, inTurn(failure, gone));
    const call = standIn.client().serviceAccounts.revoke(ID);
    await standIn.clock.pass();
    await call;
  }
  // 429 says that it was not even tried.
  const standIn = await startStandIn(t, inTurn(reply(429), gone));
  const call = standIn.client().serviceAccounts.revoke(ID);
  await standIn.clock.pass();
  await assert.rejects(call, isNotFoundError);
});

test("each call has a key of its own, or the one it was given", async (t) => {
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
  for (const idempotencyKey of ["", "schlüssel", "a\nb"]) {
    await assert.rejects(serviceAccounts.create({ name: "CI" }, { idempotencyKey }), TypeError);
  }
  assert.equal(standIn.requests.length, 5);
});
