// How calls end that would not end by themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isNetworkError, isTimeoutError } from "@prokura/sdk/errors";
import { type Handler, hang, reply, startStandIn } from "./harness/stand-in.js";

test("a server that never answers is given up after 30 seconds", async (t) => {
  const standIn = await startStandIn(t, hang);
  const call = standIn.client().serviceAccounts.list();
  await standIn.received(1);
  standIn.clock.advance(29_999);
  assert.equal(standIn.clock.asleep, 1);
  standIn.clock.advance(1);
  await assert.rejects(call, (error) => {
    assert.ok(isTimeoutError(error) && isNetworkError(error));
    assert.equal(error.message, "no answer within 30000 ms");
    return true;
  });
  assert.equal(standIn.requests.length, 1);
});

test("the client and each call may have another time", async (t) => {
  const standIn = await startStandIn(t, hang);
  const client = standIn.client({ timeoutMs: 5_000 });
  for (const [options, timeoutMs] of [
    [{}, 5_000],
    [{ timeoutMs: 100_000 }, 100_000],
  ] as const) {
    const call = client.serviceAccounts.list({}, options);
    await standIn.received(standIn.requests.length + 1);
    standIn.clock.advance(timeoutMs - 1);
    assert.equal(standIn.clock.asleep, 1);
    standIn.clock.advance(1);
    await assert.rejects(call, isTimeoutError);
  }
  for (const timeoutMs of [0, -1, NaN]) {
    await assert.rejects(client.serviceAccounts.list({}, { timeoutMs }), TypeError);
  }
});

test("the time is for the whole call: waiting for a token, waiting, trying again", async (t) => {
  const standIn = await startStandIn(t, reply(429, "", { "retry-after": "12" }));
  const call = standIn.client().serviceAccounts.list();
  await standIn.clock.pass();
  await standIn.clock.pass();
  // After two waits of 12 s there is no time for a third.
  await assert.rejects(call, { statusCode: 429 });
  assert.equal(standIn.requests.length, 3);
});

test("an answer whose body never ends is given up", async (t) => {
  const standIn = await startStandIn(t, (_, response) => {
    response.writeHead(200).write('{"items":[');
    return undefined;
  });
  const call = standIn.client().serviceAccounts.list();
  await standIn.received(1);
  standIn.clock.advance(30_000);
  await assert.rejects(call, isTimeoutError);
});

test("the system's clock ends a call as well, and waits for ever if it is told to", async (t) => {
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

test("a call ends when its caller says so, with the caller's reason", async (t) => {
  const standIn = await startStandIn(t, hang);
  const client = standIn.client();
  const controller = new AbortController();
  const call = client.serviceAccounts.list({}, { signal: controller.signal });
  await standIn.received(1);
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
  assert.equal(standIn.clock.asleep, 0);

  // A signal that was aborted before: nothing is sent.
  await assert.rejects(client.serviceAccounts.list({}, { signal: controller.signal }), { name: "AbortError" });
  await assert.rejects(client.tokens.introspect("t", { signal: controller.signal }), { name: "AbortError" });
  assert.equal(standIn.requests.length, 1);
});

test("a call may be ended by what it calls", async (t) => {
  const standIn = await startStandIn(t);
  const controller = new AbortController();
  const credentials = () => {
    controller.abort(new Error("enough"));
    return new Promise<never>(() => {});
  };
  const { tokens } = standIn.client({ credentials });
  await assert.rejects(tokens.introspect("t", { signal: controller.signal }), /enough/);
});

test("a caller need not wait while the client waits before trying again", async (t) => {
  const standIn = await startStandIn(t, reply(429, "", { "retry-after": "20" }));
  const controller = new AbortController();
  const call = standIn.client().serviceAccounts.list({}, { signal: controller.signal });
  await standIn.received(1);
  // The deadline, and the wait.
  await standIn.clock.sleepers(2);
  controller.abort(new Error("enough"));
  await assert.rejects(call, /enough/);
  assert.equal(standIn.requests.length, 1);
});

const line = (sequence: number) => `${JSON.stringify({ sequence, actor: "operator", action: "grüße" })}\n`;

/** Writes these pieces, each when the one before has been read, and does not end. */
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

test("an export that stalls is given up, one whose reader takes his time is not", async (t) => {
  const standIn = await startStandIn(t, pieces([line(1), line(2)], "hang"));
  const events = standIn.client().auditEvents.export();
  assert.equal((await events.next()).value?.sequence, 1);
  assert.equal(standIn.clock.asleep, 0);
  standIn.clock.advance(1_000_000);
  assert.equal((await events.next()).value?.sequence, 2);
  const next = events.next();
  await standIn.clock.sleepers(1);
  standIn.clock.advance(30_000);
  await assert.rejects(next, isTimeoutError);
});

test("an export that ends in the middle of a line, or is none, is not believed", async (t) => {
  for (const [text, error] of [
    [line(1) + line(2).slice(0, -1), isNetworkError],
    [`${line(1)}<p>Welcome to the hotel</p>\n`, { code: "unexpected_response" }],
    [`${line(1)}\n`, { code: "unexpected_response" }],
  ] as const) {
    const standIn = await startStandIn(t, reply(200, text));
    const events = standIn.client().auditEvents.export();
    assert.equal((await events.next()).value?.sequence, 1);
    await assert.rejects(async () => {
      while (!(await events.next()).done);
    }, error);
  }
});

test("an export that is cut off says so", async (t) => {
  const standIn = await startStandIn(t, pieces([line(1)], "destroy"));
  const events = standIn.client().auditEvents.export();
  await events.next();
  await assert.rejects(events.next(), isNetworkError);
});

test("an export that is not wanted any more ends its connection", async (t) => {
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
