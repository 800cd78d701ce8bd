// The audit trail, against the real server.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { isForbiddenError, isValidationError } from "@prokura/sdk/management";
import { startProkura } from "./harness/prokura.js";

const server = await startProkura();
const { auditEvents, serviceAccounts } = server.client();
const { serviceAccount } = await serviceAccounts.create({ name: "audited" });
await serviceAccounts.rotateSecret(serviceAccount.id);
await serviceAccounts.revoke(serviceAccount.id);

test("events are listed by page, one by one, and with filters", async () => {
  const { items: all, nextCursor } = await auditEvents.list();
  assert.equal(nextCursor, undefined);
  const mine = await auditEvents.list({ serviceAccountId: serviceAccount.id });
  assert.deepEqual(
    mine.items.map(({ action }) => action),
    ["create_service_account", "rotate_secret", "delete_service_account"],
  );
  assert.equal(mine.items[0]?.actor, server.bootstrap.serviceAccountId);

  const first = await auditEvents.list({ limit: 2 });
  assert.deepEqual(first.items, all.slice(0, 2));
  const second = await auditEvents.list({ limit: 2, cursor: first.nextCursor });
  assert.deepEqual(second.items, all.slice(2, 4));

  const listed = [];
  for await (const event of auditEvents.listAll({ limit: 1 })) {
    listed.push(event);
  }
  assert.deepEqual(listed, all);

  const rotations = await auditEvents.list({ action: "rotate_secret", actor: server.bootstrap.serviceAccountId });
  assert.equal(rotations.items.length, 1);
});

test("instants may be dates", async () => {
  const { items: all } = await auditEvents.list();
  const last = all.at(-1);
  assert.ok(last);
  const since = await auditEvents.list({ since: new Date(last.at) });
  assert.deepEqual(
    since.items,
    all.filter(({ at }) => at >= last.at),
  );
  const until = await auditEvents.list({ until: last.at });
  assert.deepEqual(
    until.items,
    all.filter(({ at }) => at < last.at),
  );
  await assert.rejects(auditEvents.list({ since: "yesterday" }), isValidationError);
});

test("an export has the whole chain, and prokura verifies it", async () => {
  const exported = [];
  for await (const event of auditEvents.export()) {
    exported.push(event);
  }
  assert.deepEqual(exported, (await auditEvents.list({ limit: 200 })).items);

  const file = join(server.directory, "audit.ndjson");
  await writeFile(file, exported.map((event) => `${JSON.stringify(event)}\n`).join(""));
  const arguments_ = ["audit", "verify", "--file", file, "--head", exported.at(-1)?.hash ?? ""];
  const { stdout } = await promisify(execFile)(process.env["PROKURA"] ?? "", arguments_);
  assert.match(stdout, new RegExp(server.bootstrap.organizationId));
});

test("reading the trail without the scope names the missing scope", async () => {
  const scopes = ["management:service-accounts:read"];
  const { credentials } = await serviceAccounts.create({ name: "reader", scopes });
  const reader = server.client({ credentials, scopes });
  await reader.serviceAccounts.list();
  const isRefused = (error: unknown) => {
    assert.ok(isForbiddenError(error));
    assert.equal(error.code, "insufficient_scope");
    assert.deepEqual(error.missingScopes, ["management:audit:read"]);
    return true;
  };
  await assert.rejects(reader.auditEvents.list(), isRefused);
  await assert.rejects(reader.auditEvents.export().next(), isRefused);
});
