// The request that each method sends.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManagementClient } from "@prokura/sdk";
import { reply, startStandIn } from "./harness/stand-in.js";

const ID = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";
const SECRET_ID = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c48";
const INSTANT = "2027-01-31T12:00:00.000Z";
const ACCOUNT = `/api/v1/service-accounts/${ID}`;

interface Sent {
  request: string;
  body?: unknown;
  type?: string;
  ifMatch?: string;
  hasKey?: true;
}

type Calls = [(client: ManagementClient) => Promise<unknown>, Sent][];

const calls: Calls = [
  [
    (client) => client.serviceAccounts.create({ name: "CI" }),
    { request: "POST /api/v1/service-accounts", body: { name: "CI" }, type: "application/json", hasKey: true },
  ],
  [
    (client) =>
      client.serviceAccounts.create({
        name: "CI",
        description: null,
        scopes: [],
        owner: "team",
        labels: { tier: "1" },
        tokenLifetimeSeconds: 600,
        expiresAt: new Date(INSTANT),
      }),
    {
      request: "POST /api/v1/service-accounts",
      body: {
        name: "CI",
        description: null,
        scopes: [],
        owner: "team",
        labels: { tier: "1" },
        tokenLifetimeSeconds: 600,
        expiresAt: INSTANT,
      },
      type: "application/json",
      hasKey: true,
    },
  ],
  [(client) => client.serviceAccounts.list(), { request: "GET /api/v1/service-accounts" }],
  [
    (client) => client.serviceAccounts.list({ limit: 7, cursor: "a+b/c=" }),
    { request: "GET /api/v1/service-accounts?limit=7&cursor=a%2Bb%2Fc%3D" },
  ],
  [
    (client) =>
      client.serviceAccounts.list({
        name: "build & test",
        labels: { environment: "production", "a:b": "c:d" },
        owner: "team",
        disabled: false,
        unusedForDays: 90,
        secretExpiresWithinDays: 14,
      }),
    {
      request:
        "GET /api/v1/service-accounts?name=build+%26+test&owner=team&disabled=false&unusedForDays=90" +
        "&secretExpiresWithinDays=14&label=environment%3Aproduction&label=a%3Ab%3Ac%3Ad",
    },
  ],
  [
    (client) => client.serviceAccounts.listAll({ owner: "team" }).next(),
    { request: "GET /api/v1/service-accounts?limit=200&owner=team" },
  ],
  [(client) => client.serviceAccounts.get(ID), { request: `GET ${ACCOUNT}` }],
  [
    (client) =>
      client.serviceAccounts.update(
        ID,
        { name: undefined, owner: null, labels: { tier: null }, disabled: true, expiresAt: new Date(INSTANT) },
        { ifMatch: '"7"' },
      ),
    {
      request: `PATCH ${ACCOUNT}`,
      body: { owner: null, labels: { tier: null }, disabled: true, expiresAt: INSTANT },
      type: "application/merge-patch+json",
      ifMatch: '"7"',
    },
  ],
  // The body is optional, and without one there is no Content-Type.
  [(client) => client.serviceAccounts.rotateSecret(ID), { request: `POST ${ACCOUNT}/rotate-secret`, hasKey: true }],
  [
    (client) =>
      client.serviceAccounts.rotateSecret(ID, { gracePeriodSeconds: 60, revokeTokens: true }, { ifMatch: '"7"' }),
    {
      request: `POST ${ACCOUNT}/rotate-secret`,
      body: { gracePeriodSeconds: 60, revokeTokens: true },
      type: "application/json",
      ifMatch: '"7"',
      hasKey: true,
    },
  ],
  [
    (client) => client.serviceAccounts.cancelRotation(ID, { ifMatch: '"7"' }),
    { request: `POST ${ACCOUNT}/cancel-rotation`, ifMatch: '"7"' },
  ],
  [(client) => client.serviceAccounts.revoke(ID, { ifMatch: '"7"' }), { request: `DELETE ${ACCOUNT}`, ifMatch: '"7"' }],
  [(client) => client.serviceAccounts.delete(ID), { request: `DELETE ${ACCOUNT}` }],
  [
    (client) => client.serviceAccounts.revokeTokens(ID, { ifMatch: '"7"' }),
    { request: `POST ${ACCOUNT}/revoke-tokens`, ifMatch: '"7"' },
  ],
  [(client) => client.serviceAccounts.listSecrets(ID), { request: `GET ${ACCOUNT}/secrets` }],
  [
    (client) => client.serviceAccounts.addSecret(ID, { expiresInSeconds: 60 }, { ifMatch: '"7"' }),
    {
      request: `POST ${ACCOUNT}/secrets`,
      body: { expiresInSeconds: 60 },
      type: "application/json",
      ifMatch: '"7"',
      hasKey: true,
    },
  ],
  [
    (client) => client.serviceAccounts.deleteSecret(ID, SECRET_ID, { ifMatch: '"7"' }),
    { request: `DELETE ${ACCOUNT}/secrets/${SECRET_ID}`, ifMatch: '"7"' },
  ],
  [(client) => client.serviceAccounts.getUsage(ID), { request: `GET ${ACCOUNT}/usage` }],
  [(client) => client.serviceAccounts.getUsage(ID, { days: 7 }), { request: `GET ${ACCOUNT}/usage?days=7` }],
  [
    (client) =>
      client.auditEvents.list({
        serviceAccountId: ID,
        action: "rotate_secret",
        actor: "operator",
        since: INSTANT,
        until: new Date(INSTANT),
        limit: 1,
      }),
    {
      request:
        `GET /api/v1/audit-events?serviceAccountId=${ID}&action=rotate_secret&actor=operator` +
        "&since=2027-01-31T12%3A00%3A00.000Z&until=2027-01-31T12%3A00%3A00.000Z&limit=1",
    },
  ],
  [(client) => client.auditEvents.listAll({ limit: 3 }).next(), { request: "GET /api/v1/audit-events?limit=3" }],
  [(client) => client.auditEvents.export().next(), { request: "GET /api/v1/audit-events/export" }],
];

for (const [index, [call, sent]] of calls.entries()) {
  test(`${sent.request} (${index})`, async (t) => {
    // It has every member that a method reads. It is also a line of an export.
    const answer = { serviceAccount: {}, credentials: {}, secret: {}, items: [], sequence: 1 };
    const standIn = await startStandIn(t, reply(200, `${JSON.stringify(answer)}\n`));
    await call(standIn.client());
    assert.equal(standIn.requests.length, 1);
    const { method, path, headers, body } = standIn.requests[0] ?? assert.fail();
    assert.equal(`${method} ${path}`, sent.request);
    assert.deepEqual(body === "" ? undefined : JSON.parse(body), sent.body);
    assert.equal(headers["content-type"], sent.type);
    assert.equal(headers["if-match"], sent.ifMatch);
    assert.equal("idempotency-key" in headers, sent.hasKey ?? false);
    assert.equal(headers.authorization, "Bearer token-1");
    assert.equal(headers.accept, "application/json");
  });
}

for (const [method, path] of [
  ["introspect", "/oauth2/introspect"],
  ["revoke", "/oauth2/revoke"],
] as const) {
  test(`POST ${path}`, async (t) => {
    const standIn = await startStandIn(t, reply(200, { active: false }));
    await standIn.client().tokens[method]("a token");
    const { headers, body, ...request } = standIn.requests[0] ?? assert.fail();
    assert.deepEqual(request, { method: "POST", path });
    assert.equal(headers["content-type"], "application/x-www-form-urlencoded");
    assert.match(headers.authorization ?? "", /^Basic /);
    assert.equal(body, "token=a+token");
    // The client authenticates with its credentials and needs no token.
    assert.equal(standIn.tokenRequests.length, 0);
  });
}
