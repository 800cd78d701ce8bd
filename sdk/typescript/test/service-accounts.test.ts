// Service accounts, against the real server.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import {
  isConflictError,
  isNotFoundError,
  isOAuthError,
  isPreconditionFailedError,
  isUnauthorizedError,
  isValidationError,
  ManagementClient,
} from "@prokura/sdk/management";
import { startProkura } from "./harness/prokura.js";
import { startStandIn } from "./harness/stand-in.js";

const server = await startProkura();
const client = server.client();
const { serviceAccounts } = client;
const NOBODY = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";

/** Fails unless these credentials get a token. */
async function authenticate(credentials: { clientId: string; clientSecret: string }): Promise<void> {
  await new ManagementClient({ baseUrl: server.url, credentials }).refreshToken();
}

test("an account is created, listed, read, rotated and deleted", async () => {
  const created = await serviceAccounts.create({ name: "CI Pipeline", description: "Used by GitHub Actions" });
  const { serviceAccount, credentials } = created;
  assert.deepEqual(Object.keys(created).sort(), ["credentials", "serviceAccount"]);
  assert.deepEqual(Object.keys(credentials).sort(), ["clientId", "clientSecret"]);
  assert.equal(serviceAccount.name, "CI Pipeline");
  assert.equal(serviceAccount.description, "Used by GitHub Actions");
  assert.equal(credentials.clientId, serviceAccount.clientId);
  assert.deepEqual(serviceAccount.scopes, ["management:all"]);
  assert.equal(serviceAccount.createdBy, server.bootstrap.serviceAccountId);
  await authenticate(credentials);

  const list = await serviceAccounts.list();
  assert.deepEqual(Object.keys(list), ["items"]);
  assert.ok(list.items.some(({ id }) => id === serviceAccount.id));
  const got = await serviceAccounts.get(serviceAccount.id);
  assert.deepEqual(Object.keys(got), ["serviceAccount"]);
  assert.notEqual(got.serviceAccount.lastUsedAt, null);

  const rotated = await serviceAccounts.rotateSecret(serviceAccount.id);
  assert.equal(rotated.serviceAccount.id, serviceAccount.id);
  assert.notEqual(rotated.credentials.clientSecret, credentials.clientSecret);
  await assert.rejects(authenticate(credentials), isUnauthorizedError);
  await authenticate(rotated.credentials);

  assert.equal(await serviceAccounts.revoke(serviceAccount.id), undefined);
  await assert.rejects(serviceAccounts.get(serviceAccount.id), isNotFoundError);
  await assert.rejects(authenticate(rotated.credentials), isOAuthError);
  await assert.rejects(serviceAccounts.delete(serviceAccount.id), isNotFoundError);
});

test("delete is another name for revoke", async () => {
  const { serviceAccount } = await serviceAccounts.create({ name: "deleted" });
  await serviceAccounts.delete(serviceAccount.id);
  await assert.rejects(serviceAccounts.get(serviceAccount.id), isNotFoundError);
});

test("accounts are listed by page or one by one", async () => {
  const made = await Promise.all(Array.from({ length: 5 }, (_, n) => serviceAccounts.create({ name: `page ${n}` })));
  const all = (await serviceAccounts.list()).items;
  assert.ok(all.length > 5);

  const first = await serviceAccounts.list({ limit: 2 });
  assert.deepEqual(first.items, all.slice(0, 2));
  assert.ok(first.nextCursor);
  const second = await serviceAccounts.list({ limit: 2, cursor: first.nextCursor });
  assert.deepEqual(second.items, all.slice(2, 4));

  for (const params of [{}, { limit: 1 }, { limit: 2 }, { limit: all.length }]) {
    const listed = [];
    for await (const account of serviceAccounts.listAll(params)) {
      listed.push(account);
    }
    assert.deepEqual(listed, all);
  }
  await Promise.all(made.map(({ serviceAccount }) => serviceAccounts.revoke(serviceAccount.id)));
});

test("a rotation with a grace period can be cancelled", async () => {
  const { serviceAccount, credentials } = await serviceAccounts.create({ name: "grace" });
  const { id } = serviceAccount;
  await assert.rejects(serviceAccounts.cancelRotation(id), (error) => {
    assert.ok(isConflictError(error));
    assert.equal(error.code, "no_rotation_under_way");
    return true;
  });
  const rotated = await serviceAccounts.rotateSecret(id, { gracePeriodSeconds: 60, expiresInSeconds: 3600 });
  await authenticate(credentials);
  await authenticate(rotated.credentials);
  const { items } = await serviceAccounts.listSecrets(id);
  assert.deepEqual(
    items.map(({ state }) => state),
    ["active", "retiring"],
  );
  assert.equal(items[0]?.hint, rotated.credentials.clientSecret.slice(-4));
  assert.notEqual(items[0].expiresAt, null);

  const cancelled = await serviceAccounts.cancelRotation(id);
  assert.equal(cancelled.serviceAccount.id, id);
  await authenticate(credentials);
  await assert.rejects(authenticate(rotated.credentials), isUnauthorizedError);
});

test("secrets are added and deleted one by one", async () => {
  const { serviceAccount, credentials } = await serviceAccounts.create({ name: "secrets" });
  const { id } = serviceAccount;
  const added = await serviceAccounts.addSecret(id, { expiresInSeconds: 3600 });
  assert.equal(added.secret.state, "active");
  assert.equal(added.credentials.clientId, serviceAccount.clientId);
  await authenticate(added.credentials);
  assert.equal((await serviceAccounts.addSecret(id)).secret.expiresAt, null);
  assert.equal(await serviceAccounts.deleteSecret(id, added.secret.id), undefined);
  await assert.rejects(authenticate(added.credentials), isUnauthorizedError);
  await authenticate(credentials);
  await assert.rejects(serviceAccounts.deleteSecret(id, added.secret.id), { code: "secret_not_found" });
});

test("the tokens of an account are revoked, and its usage is counted", async () => {
  const { serviceAccount, credentials } = await serviceAccounts.create({ name: "used" });
  const { id } = serviceAccount;
  await authenticate(credentials);
  await assert.rejects(authenticate({ ...credentials, clientSecret: `prk_${"0".repeat(49)}` }), isUnauthorizedError);
  assert.equal(await serviceAccounts.revokeTokens(id), undefined);
  const { items } = await serviceAccounts.getUsage(id, { days: 7 });
  assert.equal(items.length, 7);
  assert.equal(items.at(-1)?.tokensIssued, 1);
  assert.equal((await serviceAccounts.getUsage(id)).items.length, 30);
});

test("invalid fields are reported one by one", async () => {
  await assert.rejects(serviceAccounts.create({ name: "", description: "x".repeat(1025) }), (error) => {
    assert.ok(isValidationError(error));
    assert.deepEqual(error.validationErrors.map(({ field }) => field).sort(), ["description", "name"]);
    return true;
  });
  await assert.rejects(serviceAccounts.list({ limit: 0 }), isValidationError);
  await assert.rejects(serviceAccounts.list({ cursor: "" }), isValidationError);
  await assert.rejects(serviceAccounts.get(server.bootstrap.clientId), isValidationError);
});

test("an ID that would change the path is not sent", async () => {
  for (const id of ["", ".", "..", "../audit-events", "%2e%2e", "x?limit=1", "x#y", "a/b"]) {
    await assert.rejects(serviceAccounts.get(id), TypeError);
    await assert.rejects(serviceAccounts.revoke(id), TypeError);
    await assert.rejects(serviceAccounts.deleteSecret(NOBODY, id), TypeError);
  }
});

test("an update changes only the members that it names", async () => {
  const expiresAt = new Date(Date.now() + 86_400_000);
  const { serviceAccount } = await serviceAccounts.create({
    name: "changes",
    description: "before",
    owner: "platform-team",
    labels: { environment: "staging", tier: "1" },
    tokenLifetimeSeconds: 600,
    expiresAt,
  });
  const { id } = serviceAccount;
  assert.equal(serviceAccount.owner, "platform-team");
  assert.deepEqual(serviceAccount.labels, { environment: "staging", tier: "1" });
  assert.equal(serviceAccount.tokenLifetimeSeconds, 600);
  assert.equal(serviceAccount.expiresAt, expiresAt.toISOString());
  assert.equal(serviceAccount.disabled, false);

  const { serviceAccount: changed } = await serviceAccounts.update(id, {
    description: null,
    labels: { environment: "production", tier: null },
    expiresAt: null,
    tokenLifetimeSeconds: undefined,
  });
  assert.equal(changed.name, "changes");
  assert.equal(changed.description, null);
  assert.equal(changed.owner, "platform-team");
  assert.deepEqual(changed.labels, { environment: "production" });
  assert.equal(changed.expiresAt, null);
  assert.equal(changed.tokenLifetimeSeconds, 600);

  await assert.rejects(serviceAccounts.update(id, { tokenLifetimeSeconds: 59 }), isValidationError);
  await assert.rejects(serviceAccounts.update(NOBODY, { name: "nobody" }), isNotFoundError);
});

test("a disabled account gets no token", async () => {
  const { serviceAccount, credentials } = await serviceAccounts.create({ name: "off" });
  await serviceAccounts.update(serviceAccount.id, { disabled: true });
  await assert.rejects(authenticate(credentials), isUnauthorizedError);
  const { serviceAccount: on } = await serviceAccounts.update(serviceAccount.id, { disabled: false });
  assert.equal(on.disabled, false);
  await authenticate(credentials);
});

test("a change with a stale ifMatch is refused", async () => {
  const created = await serviceAccounts.create({ name: "versions" });
  const { id } = created.serviceAccount;
  const { etag: before } = await serviceAccounts.get(id);
  assert.ok(before);
  assert.equal(before, created.etag);
  const { etag: after } = await serviceAccounts.update(id, { name: "versions 2" }, { ifMatch: before });
  assert.ok(after);
  assert.notEqual(after, before);

  const stale = { ifMatch: before };
  for (const change of [
    () => serviceAccounts.update(id, { name: "versions 3" }, stale),
    () => serviceAccounts.rotateSecret(id, undefined, stale),
    () => serviceAccounts.cancelRotation(id, stale),
    () => serviceAccounts.addSecret(id, undefined, stale),
    () => serviceAccounts.revokeTokens(id, stale),
    () => serviceAccounts.revoke(id, stale),
  ]) {
    await assert.rejects(change, (error) => isPreconditionFailedError(error) && error.code === "precondition_failed");
  }
  assert.equal((await serviceAccounts.get(id)).serviceAccount.name, "versions 2");
  const rotated = await serviceAccounts.rotateSecret(id, undefined, { ifMatch: after });
  await serviceAccounts.revoke(id, { ifMatch: rotated.etag });
});

test("accounts are found by filters", async () => {
  const labels = { environment: "production", "cost-center": "42" };
  const { serviceAccount } = await serviceAccounts.create({
    name: "Needle in the haystack",
    owner: "finders",
    labels,
  });
  const { id } = serviceAccount;
  await serviceAccounts.create({ name: "Hay", labels: { environment: "production" } });
  for (const filter of [
    { labels },
    { owner: "finders" },
    { name: "needle in" },
    { labels, owner: "finders", disabled: false, unusedForDays: 0 },
  ]) {
    const { items } = await serviceAccounts.list(filter);
    assert.deepEqual(
      items.map((account) => account.id),
      [id],
      JSON.stringify(filter),
    );
  }
  for await (const account of serviceAccounts.listAll({ owner: "finders", limit: 1 })) {
    assert.equal(account.id, id);
  }
  const none = [{ labels: { environment: "staging" } }, { owner: "finders", disabled: true }];
  for (const filter of [...none, { owner: "finders", secretExpiresWithinDays: 30 }]) {
    assert.deepEqual((await serviceAccounts.list(filter)).items, []);
  }
  // A new account does not count as unused.
  assert.deepEqual((await serviceAccounts.list({ owner: "finders", unusedForDays: 1 })).items, []);
  await serviceAccounts.addSecret(id, { expiresInSeconds: 3600 });
  const { items } = await serviceAccounts.list({ secretExpiresWithinDays: 1, labels });
  assert.equal(items[0]?.id, id);
});

test("a call that is repeated with the same key has one effect", async () => {
  const idempotencyKey = randomUUID();
  const first = await serviceAccounts.create({ name: "once" }, { idempotencyKey });
  const again = await serviceAccounts.create({ name: "once" }, { idempotencyKey });
  assert.deepEqual(again, first);
  const { id } = first.serviceAccount;

  // The first rotation has made ifMatch stale, but the repeat is recognized.
  const options = { idempotencyKey, ifMatch: first.etag };
  const rotated = await serviceAccounts.rotateSecret(id, undefined, options);
  const repeated = await serviceAccounts.rotateSecret(id, undefined, options);
  assert.deepEqual(repeated, rotated);
  await authenticate(rotated.credentials);

  const added = await serviceAccounts.addSecret(id, undefined, { idempotencyKey });
  assert.deepEqual(await serviceAccounts.addSecret(id, undefined, { idempotencyKey }), added);
  await assert.rejects(serviceAccounts.create({ name: "twice" }, { idempotencyKey }), { statusCode: 422 });
});

test("a secret whose response is lost is obtained by a retry", async (t) => {
  const lost: string[] = [];
  // A proxy between client and server drops the first response.
  const between = await startStandIn(t, async ({ method, path, headers, body }, response) => {
    const { authorization = "", "idempotency-key": key = "" } = headers;
    const answer = await fetch(server.url + path, {
      method,
      headers: { authorization, "content-type": "application/json", "idempotency-key": String(key) },
      body,
    });
    const text = await answer.text();
    if (lost.length === 0) {
      lost.push(text);
      response.destroy();
      return undefined;
    }
    return { status: answer.status, body: text };
  });
  const { clientId, clientSecret } = server.bootstrap;
  const careful = between.client({
    tokenUrl: `${server.url}/oauth2/token`,
    audience: `${server.url}/api/v1`,
    credentials: { clientId, clientSecret },
  });
  const call = careful.serviceAccounts.create({ name: "lost and found" });
  await between.clock.pass();
  const found = await call;
  assert.deepEqual(JSON.parse(lost[0] ?? ""), found);
  await authenticate(found.credentials);
  const { items } = await serviceAccounts.list({ name: "lost and found" });
  assert.equal(items.length, 1);
});
