// Clients and errors print no secrets and no tokens.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { isProkuraError, ManagementClient } from "@prokura/sdk";
import { breakOff, type Handler, hang, reply, SECRET, startStandIn } from "./harness/stand-in.js";

const SECRETS = new RegExp(`${SECRET}|${btoa(`sa_1:${SECRET}`)}|token-1|key-of-the-call`);

/** Every form in which a log might show it. */
function printed(thing: object): string {
  const ways = [
    inspect(thing, { depth: Infinity, showHidden: true, getters: true }),
    JSON.stringify(thing),
    String(thing),
  ];
  return [...ways, ...Object.getOwnPropertyNames(thing).map((name) => String(Reflect.get(thing, name)))].join("\n");
}

test("a client prints no secret and no token", async (t) => {
  const standIn = await startStandIn(t);
  const client = standIn.client();
  await client.serviceAccounts.list();
  const text = printed(client);
  assert.match(text, /ManagementClient/);
  assert.doesNotMatch(text, SECRETS);
  const { serviceAccounts, auditEvents, tokens } = client;
  assert.doesNotMatch([serviceAccounts, auditEvents, tokens].map(printed).join("\n"), SECRETS);
});

const echo: Handler = ({ headers, body }) => ({ status: 400, body: `${headers.authorization} ${body} ${SECRET}` });
const cases: [string, Handler, Handler][] = [
  ["an API error", reply(403, { message: "no", code: "insufficient_scope" }), reply(200)],
  ["an error page that repeats the request", echo, reply(200)],
  ["an error page of the token endpoint that repeats the request", reply(200), echo],
  ["a broken connection", breakOff, reply(200)],
  ["a broken connection to the token endpoint", reply(200), breakOff],
  ["an invalid token", reply(200), reply(200, { access_token: `${SECRET}\n`, token_type: "Bearer" })],
  ["a success without the expected body", reply(200, { secret: SECRET }), reply(200)],
];

for (const [what, handler, token] of cases) {
  test(`the error of ${what} prints no secret, token or key`, async (t) => {
    const standIn = await startStandIn(t, handler, token);
    const { serviceAccounts } = standIn.client({ maxRetries: 0 });
    const call = serviceAccounts.create({ name: "CI" }, { idempotencyKey: "key-of-the-call" });
    await assert.rejects(call, (error: Error) => {
      assert.ok(isProkuraError(error));
      assert.doesNotMatch(printed(error), SECRETS);
      return true;
    });
  });
}

test("a timeout error prints no secret", async (t) => {
  const standIn = await startStandIn(t, hang);
  const call = standIn.client().serviceAccounts.list();
  await standIn.received(1);
  standIn.clock.advance(30_000);
  await assert.rejects(call, (error: Error) => {
    assert.doesNotMatch(printed(error), SECRETS);
    return true;
  });
});

test("a secret with any characters can be sent", async (t) => {
  const standIn = await startStandIn(t);
  // It is form-encoded.
  const credentials = { clientId: "sa_1", clientSecret: `${SECRET}\r\n\u{1f511}` };
  await standIn.client({ credentials }).serviceAccounts.list();
  const sent = Buffer.from(standIn.tokenRequests[0]?.headers.authorization?.slice(6) ?? "", "base64").toString();
  assert.equal(sent, `sa_1:${SECRET}%0D%0A%F0%9F%94%91`);
});

test("the etag of an account can be used and is not printed", async (t) => {
  const account = reply(200, { serviceAccount: { id: "1" } }, { etag: '"7"' });
  const standIn = await startStandIn(t, account);
  const client: ManagementClient = standIn.client();
  const answer = await client.serviceAccounts.get("1");
  assert.deepEqual(answer, { serviceAccount: { id: "1" } });
  assert.equal(JSON.stringify(answer), '{"serviceAccount":{"id":"1"}}');
  const { etag } = answer;
  assert.equal(etag, '"7"');
  await client.serviceAccounts.update("1", { name: "x" }, { ifMatch: etag });
  assert.equal(standIn.requests[1]?.headers["if-match"], '"7"');
  assert.equal(standIn.requests[1].headers["content-type"], "application/merge-patch+json");
});
