// The rules that both SDKs share, row by row: sdk/behaviour.json.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { isHttpError, isProkuraError, isTimeoutError, type ManagementClient } from "@prokura/sdk";
import {
  breakOff,
  type Handler,
  hang,
  inTurn,
  NOWHERE,
  reply,
  type StandIn,
  startStandIn,
} from "./harness/stand-in.js";

type Class = "repeatable" | "change" | "export" | "oauth";
type Outcome = "pause" | "new token" | "no";

type Event = { event: string; deleteThen404: "success" | "error" | null } & Record<Class, Outcome>;

interface TokenRow {
  status: number;
  response: unknown;
  error?: string;
  renewedBetween?: [number, number];
  usedUntil?: number;
}

interface Table {
  limits: {
    timeoutSeconds: number;
    attemptTimeoutSeconds: number;
    maxRetries: number;
    renewalPauseSeconds: number;
    backoffSeconds: number[];
  };
  calls: Record<string, Class>;
  events: Event[];
  retryAfter: { retryAfter: string | null; date: string | null; seconds: number | null }[];
  tokens: TokenRow[];
}

const { limits, calls, events, retryAfter, tokens } = JSON.parse(await readFile("behaviour.json", "utf8")) as Table;

const ID = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";
const ifMatch = '"7"';

const CALLS: Record<string, (client: ManagementClient) => Promise<unknown>> = {
  list_service_accounts: ({ serviceAccounts }) => serviceAccounts.list(),
  get_service_account: ({ serviceAccounts }) => serviceAccounts.get(ID),
  get_usage: ({ serviceAccounts }) => serviceAccounts.getUsage(ID),
  list_secrets: ({ serviceAccounts }) => serviceAccounts.listSecrets(ID),
  list_audit_events: ({ auditEvents }) => auditEvents.list(),
  create_service_account: ({ serviceAccounts }) => serviceAccounts.create({ name: "CI" }),
  rotate_secret: ({ serviceAccounts }) => serviceAccounts.rotateSecret(ID),
  add_secret: ({ serviceAccounts }) => serviceAccounts.addSecret(ID),
  delete_service_account: ({ serviceAccounts }) => serviceAccounts.delete(ID),
  delete_secret: ({ serviceAccounts }) => serviceAccounts.deleteSecret(ID, ID),
  "delete_service_account if_match": ({ serviceAccounts }) => serviceAccounts.delete(ID, { ifMatch }),
  update_service_account: ({ serviceAccounts }) => serviceAccounts.update(ID, { name: "CD" }),
  "update_service_account if_match": ({ serviceAccounts }) => serviceAccounts.update(ID, { name: "CD" }, { ifMatch }),
  cancel_rotation: ({ serviceAccounts }) => serviceAccounts.cancelRotation(ID),
  revoke_tokens: ({ serviceAccounts }) => serviceAccounts.revokeTokens(ID),
  export_audit_events: async ({ auditEvents }) => {
    for await (const event of auditEvents.export()) {
      assert.equal(event.sequence, 1);
    }
  },
  issue_token: (client) => client.refreshToken(),
  introspect_token: (client) => client.tokens.introspect("t"),
  revoke_token: (client) => client.tokens.revoke("t"),
};

test("the table has every call", () => {
  assert.deepEqual(Object.keys(CALLS).sort(), Object.keys(calls).sort());
});

/** An answer with every member that a call looks for. */
const success = reply(200, {
  serviceAccount: {},
  credentials: {},
  secret: {},
  items: [],
  active: false,
  sequence: 1,
  access_token: "token",
});

function handler(event: string): Handler {
  switch (event) {
    case "cut before headers":
      return breakOff;
    case "cut after headers":
      return (_, response) => {
        response.writeHead(200, { "content-length": "100" }).write('{"items":[');
        setImmediate(() => response.destroy());
        return undefined;
      };
    case "no answer in time":
      return hang;
    default:
      return reply(Number(event), { message: "no", code: "no", error: "no" });
  }
}

interface Observed {
  standIn: StandIn;
  /** The pause before the second request, in seconds. */
  pause: number | undefined;
  error: unknown;
}

/** Makes a call to a server that does this to the first request and answers the second one with `then`. */
async function observe(t: TestContext, event: string, name: string, then = success): Promise<Observed> {
  const isToken = name === "issue_token";
  const handle = event === "cannot connect" ? success : inTurn(handler(event), then);
  const standIn = await startStandIn(t, isToken ? success : handle, isToken ? handle : () => ({}));
  const nowhere = { baseUrl: NOWHERE, maxRetries: 1 };
  const tokenUrl = `${isToken ? nowhere.baseUrl : standIn.url}/oauth2/token`;
  const client = standIn.client(event === "cannot connect" ? { ...nowhere, tokenUrl } : {});
  const done = (CALLS[name] ?? assert.fail(name))(client).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (event === "no answer in time") {
    await (isToken ? standIn.receivedTokenRequests(1) : standIn.received(1));
    standIn.clock.advance(limits.attemptTimeoutSeconds * 1_000);
  }
  const pause = await Promise.race([done.then(() => undefined), standIn.clock.pass()]);
  return { standIn, pause: pause && pause / 1_000, error: await done };
}

for (const row of events) {
  test(`after "${row.event}" a call is sent again as the table says`, async (t) => {
    for (const [name, kind] of Object.entries(calls)) {
      const { standIn, pause, error } = await observe(t, row.event, name);
      const requests = name === "issue_token" ? standIn.tokenRequests : standIn.requests;
      if (row[kind] === "pause") {
        assert.ok(pause !== undefined && pause >= 0.125 && pause <= 0.25, `${name}: ${pause}`);
      } else {
        assert.equal(pause, undefined, name);
      }
      if (row.event === "cannot connect") {
        assert.equal((error as { mayHaveArrived?: boolean }).mayHaveArrived, false, name);
        assert.equal(requests.length, 0, name);
        continue;
      }
      assert.equal(error === undefined, row[kind] !== "no", `${name}: ${String(error)}`);
      assert.equal(requests.length, row[kind] === "no" ? 1 : 2, name);
      if (row[kind] === "pause") {
        assert.deepEqual(requests[1], requests[0], name);
      }
      if (row[kind] === "new token") {
        const bearers = requests.map(({ headers }) => headers.authorization);
        assert.deepEqual(bearers, ["Bearer token-1", "Bearer token-2"], name);
      }
    }
  });

  if (row.deleteThen404) {
    test(`after "${row.event}" a deletion that finds nothing is a ${row.deleteThen404}`, async (t) => {
      const notFound = reply(404, { message: "no", code: "service_account_not_found" });
      for (const name of Object.keys(CALLS).filter((name) => name.startsWith("delete"))) {
        const { error } = await observe(t, row.event, name, notFound);
        assert.equal(error === undefined, row.deleteThen404 === "success", name);
      }
    });
  }
}

test("pauses double up to the longest one", async (t) => {
  const standIn = await startStandIn(t, reply(503));
  const { backoffSeconds } = limits;
  const options = { timeoutMs: 10 * 60 * 1_000 };
  const call = standIn.client({ maxRetries: backoffSeconds.length }).serviceAccounts.list({}, options);
  for (const longest of backoffSeconds) {
    const pause = (await standIn.clock.pass()) / 1_000;
    assert.ok(pause >= longest / 2 && pause <= longest, `${pause} of ${longest}`);
  }
  await assert.rejects(call, { statusCode: 503 });
});

test("a client has the limits of the table", async (t) => {
  const standIn = await startStandIn(t, reply(503));
  const call = standIn.client().serviceAccounts.list();
  for (let retry = 0; retry < limits.maxRetries; retry += 1) {
    await standIn.clock.pass();
  }
  await assert.rejects(call, isHttpError);
  assert.equal(standIn.requests.length, limits.maxRetries + 1);

  const silent = await startStandIn(t, hang);
  const waiting = silent.client().serviceAccounts.list();
  const begun = silent.clock.now();
  for (const attempt of [1, 2]) {
    await silent.received(attempt);
    silent.clock.advance(limits.attemptTimeoutSeconds * 1_000);
    await silent.clock.pass();
  }
  await silent.received(3);
  silent.clock.advance(limits.timeoutSeconds * 1_000 - (silent.clock.now() - begun) - 1);
  assert.ok(silent.clock.asleep > 0);
  silent.clock.advance(1);
  await assert.rejects(waiting, (error) => {
    assert.ok(isTimeoutError(error));
    assert.match(error.message, /\/api\/v1\/service-accounts did not answer within 30 s$/);
    return true;
  });
  assert.equal(silent.requests.length, 3);
});

for (const row of retryAfter) {
  test(`Retry-After ${JSON.stringify(row.retryAfter)} with Date ${JSON.stringify(row.date)}`, async (t) => {
    const headers = {
      ...(row.retryAfter === null ? {} : { "retry-after": row.retryAfter }),
      ...(row.date === null ? {} : { date: row.date }),
    };
    const standIn = await startStandIn(t, reply(503, "", headers));
    const call = standIn.client({ maxRetries: 1 }).serviceAccounts.list();
    const pause = (await standIn.clock.pass()) / 1_000 - (row.seconds ?? 0);
    assert.ok(pause >= 0.124 && pause <= 0.251, `${pause}`);
    await assert.rejects(call, (error) => isHttpError(error) && error.retryAfter === (row.seconds ?? undefined));
  });
}

for (const row of tokens) {
  test(`the token response ${row.status} ${JSON.stringify(row.response)}`, async (t) => {
    const issue = (): Handler => {
      let issued = 0;
      return () => {
        issued += 1;
        return { status: row.status, body: JSON.stringify(row.response).replace("TOKEN", `token-${issued}`) };
      };
    };
    /** The bearer tokens of a call now and of another one after this many milliseconds; and the server. */
    const bearersOf = async (milliseconds: number) => {
      const standIn = await startStandIn(t, success, issue());
      const { serviceAccounts } = standIn.client();
      await serviceAccounts.list();
      standIn.clock.advance(milliseconds);
      await serviceAccounts.list();
      return { standIn, bearers: standIn.requests.map(({ headers }) => headers.authorization) };
    };

    if (row.error !== undefined) {
      const standIn = await startStandIn(t, success, issue());
      const code = row.error.replace(" ", "_");
      await assert.rejects(standIn.client().serviceAccounts.list(), (error) => {
        assert.ok(isProkuraError(error));
        assert.equal(error.code, code);
        return true;
      });
      assert.equal(standIn.tokenRequests.length, 1);
      return;
    }
    const [earliest = 0, latest = 0] = row.renewedBetween ?? [];
    const usedUntilMs = (row.usedUntil ?? 0) * 1_000;
    const first = ["Bearer token-1", "Bearer token-1"];
    if (usedUntilMs > 0) {
      const before = await bearersOf(earliest * 1_000 - 1);
      assert.deepEqual(before.bearers, first);
      assert.equal(before.standIn.tokenRequests.length, 1);

      const due = await bearersOf(latest * 1_000);
      assert.deepEqual(due.bearers, first);
      await due.standIn.receivedTokenRequests(2);

      assert.deepEqual((await bearersOf(usedUntilMs - 1)).bearers, first);
    }
    assert.deepEqual((await bearersOf(usedUntilMs)).bearers, ["Bearer token-1", "Bearer token-2"]);
  });
}
