// Timeouts, aborts and exports that stall or break off.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isNetworkError, isTimeoutError } from "@prokura/sdk/errors";
import { type Handler, hang, reply, startStandIn } from "./harness/stand-in.js";

test("an attempt that is not repeatable times out after ten seconds and is not sent again", async (t) => {
  const standIn = await startStandIn(t, hang);
  const call = standIn.client().serviceAccounts.cancelRotation("1");
  await standIn.received(1);
  standIn.clock.advance(9_999);
  assert.equal(standIn.clock.asleep, 2);
  standIn.clock.advance(1);
  await assert.rejects(call, (error) => {
    assert.ok(isTimeoutError(error) && isNetworkError(error));
    const url = `${standIn.url}/api/v1/service-accounts/1/cancel-rotation`;
    assert.equal(error.message, `${url} did not answer within 10 s`);
    assert.equal(error.mayHaveArrived, true);
    return true;
  });
  assert.equal(standIn.requests.length, 1);
});

test("the client and each call can have their own timeout", async (t) => {
  const standIn = await startStandIn(t, hang);
  const client = standIn.client({ timeoutMs: 5_000 });
  for (const [options, timeoutMs] of [
    [{}, 5_000],
    [{ timeoutMs: 2_000 }, 2_000],
  ] as const) {
    const call = client.serviceAccounts.list({}, options);
    await standIn.received(standIn.requests.length + 1);
    standIn.clock.advance(timeoutMs - 1);
    assert.equal(standIn.clock.asleep, 2);
    standIn.clock.advance(1);
    await assert.rejects(call, isTimeoutError);
  }
  for (const timeoutMs of [0, -1, NaN]) {
    await assert.rejects(client.serviceAccounts.list({}, { timeoutMs }), TypeError);
  }
});

test("the client can have its own timeout for an attempt", async (t) => {
  const standIn = await startStandIn(t, hang);
  const call = standIn.client({ attemptTimeoutMs: 3_000, maxRetries: 0 }).serviceAccounts.list();
  await standIn.received(1);
  standIn.clock.advance(3_000);
  await assert.rejects(call, /did not answer within 3 s$/);
});

test("the timeout is for the whole call, pauses and retries included", async (t) => {
  const standIn = await startStandIn(t, reply(429, "", { "retry-after": "12" }));
  const call = standIn.client().serviceAccounts.list();
  await standIn.clock.pass();
  await standIn.clock.pass();
  // After two pauses of 12 s there is no time for a third.
  await assert.rejects(call, { statusCode: 429 });
  assert.equal(standIn.requests.length, 3);
});

test("an answer whose body does not end times out", async (t) => {
  const standIn = await startStandIn(t, (_, response) => {
    response.writeHead(200).write('{"items":[');
    return undefined;
  });
  const call = standIn.client({ maxRetries: 0 }).serviceAccounts.list();
  await standIn.received(1);
  standIn.clock.advance(10_000);
  await assert.rejects(call, isTimeoutError);
});

test("the system's clock ends a call, or never with an infinite timeout", async (t) => {
  const standIn = await startStandIn(t, reply(200), hang);
  const call = standIn.client({ clock: undefined }).serviceAccounts.list({}, { timeoutMs: 20 });
  await assert.rejects(call, isTimeoutError);

  const patient = await startStandIn(t);
  const answer = await patient.client({ clock: undefined }).serviceAccounts.list({}, { timeoutMs: Infinity });
  assert.deepEqual(answer, { items: [] });
});

test("nothing is left running after a call", async (t) => {
  const standIn = await startStandIn(t);
  const client = standIn.client();
  const { signal } = new AbortController();
  const added = t.mock.method(signal, "addEventListener");
  const removed = t.mock.method(signal, "removeEventListener");
  await client.serviceAccounts.list({}, { signal });
  assert.equal(standIn.clock.asleep, 0);
  assert.ok(added.mock.callCount() > 0);
  assert.equal(removed.mock.callCount(), added.mock.callCount());
});

test("a call ends when its caller aborts it, with the caller's reason", async (t) => {
  const standIn = await startStandIn(t, hang);
  const client = standIn.client();
  const controller = new AbortController();
  const call = client.serviceAccounts.list({}, { signal: controller.signal });
  await standIn.received(1);
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
  assert.equal(standIn.clock.asleep, 0);

  // If the signal is already aborted, nothing is sent.
  await assert.rejects(client.serviceAccounts.list({}, { signal: controller.signal }), { name: "AbortError" });
  await assert.rejects(client.tokens.introspect("t", { signal: controller.signal }), { name: "AbortError" });
  assert.equal(standIn.requests.length, 1);
});

test("a credentials function can abort the call", async (t) => {
  const standIn = await startStandIn(t);
  const controller = new AbortController();
  const credentials = () => {
    controller.abort(new Error("enough"));
    return new Promise<never>(() => {});
  };
  const { tokens } = standIn.client({ credentials });
  await assert.rejects(tokens.introspect("t", { signal: controller.signal }), /enough/);
});

test("a caller can abort during the pause before a retry", async (t) => {
  const standIn = await startStandIn(t, reply(429, "", { "retry-after": "20" }));
  const controller = new AbortController();
  const call = standIn.client().serviceAccounts.list({}, { signal: controller.signal });
  await standIn.received(1);
  // The timeout of the call, and the pause.
  await standIn.clock.sleepers(2);
  controller.abort(new Error("enough"));
  await assert.rejects(call, /enough/);
  assert.equal(standIn.requests.length, 1);
});

const line = (sequence: number) => `${JSON.stringify({ sequence, actor: "operator", action: "grüße" })}\n`;

/** Writes these pieces one after the other, then hangs, ends, or destroys the connection. */
function pieces(texts: (string | Buffer)[], last: "hang" | "end" | "destroy"): Handler {
  return (_, response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const next = () => {
      const text = texts.shift();
      if (text !== undefined) {
        response.write(text, () => setImmediate(next));
      } else if (last !== "hang") {
        response[last]();
      }
    };
    next();
    return undefined;
  };
}

test("an export comes line by line, wherever the pieces are cut", async (t) => {
  const bytes = Buffer.from(line(1) + line(2) + line(3));
  const cuts = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) =>
    bytes.subarray(index * 7, index * 7 + 7),
  );
  const standIn = await startStandIn(t, pieces(cuts, "end"));
  const events = [];
  for await (const event of standIn.client().auditEvents.export()) {
    events.push(event);
  }
  assert.deepEqual(
    events.map(({ sequence, action }) => [sequence, action]),
    [
      [1, "grüße"],
      [2, "grüße"],
      [3, "grüße"],
    ],
  );
});

test("an export of nothing has no lines", async (t) => {
  const standIn = await startStandIn(t, reply(200));
  for await (const event of standIn.client().auditEvents.export()) {
    assert.fail(JSON.stringify(event));
  }
});

test("an export that stalls times out, but a slow reader has all the time", async (t) => {
  const standIn = await startStandIn(t, pieces([line(1), line(2)], "hang"));
  const events = standIn.client().auditEvents.export();
  assert.equal((await events.next()).value?.sequence, 1);
  assert.equal(standIn.clock.asleep, 0);
  standIn.clock.advance(1_000_000);
  assert.equal((await events.next()).value?.sequence, 2);
  const next = events.next();
  await standIn.clock.sleepers(1);
  standIn.clock.advance(10_000);
  await assert.rejects(next, isTimeoutError);
});

test("the last line of an export need not end with a line break", async (t) => {
  const standIn = await startStandIn(t, reply(200, (line(1) + line(2)).trimEnd()));
  const sequences = [];
  for await (const { sequence } of standIn.client().auditEvents.export()) {
    sequences.push(sequence);
  }
  assert.deepEqual(sequences, [1, 2]);
});

test("an export with a line that is no event is an error", async (t) => {
  for (const text of [line(1) + line(2).slice(0, -2), `${line(1)}<p>Welcome to the hotel</p>\n`, `${line(1)}\n`]) {
    const standIn = await startStandIn(t, reply(200, text));
    const events = standIn.client().auditEvents.export();
    assert.equal((await events.next()).value?.sequence, 1);
    await assert.rejects(events.next(), { code: "unexpected_response" });
  }
});

test("an export that breaks off is a network error", async (t) => {
  const standIn = await startStandIn(t, pieces([line(1)], "destroy"));
  const events = standIn.client().auditEvents.export();
  await events.next();
  await assert.rejects(events.next(), isNetworkError);
});

test("an export that its reader stops ends its connection", async (t) => {
  let closed = () => {};
  const isClosed = new Promise<void>((resolve) => (closed = resolve));
  const endless: Handler = (request, response) => {
    response.on("close", closed);
    return pieces([line(1)], "hang")(request, response);
  };
  const standIn = await startStandIn(t, endless);
  for await (const event of standIn.client().auditEvents.export()) {
    assert.equal(event.sequence, 1);
    break;
  }
  await isClosed;

  const aborted = await startStandIn(t, pieces([line(1)], "hang"));
  const controller = new AbortController();
  const events = aborted.client().auditEvents.export({ signal: controller.signal });
  await events.next();
  controller.abort(new Error("enough"));
  await assert.rejects(events.next(), /enough/);
});
