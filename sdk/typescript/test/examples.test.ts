// The examples run, and the README shows them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";
import { startProkura } from "./harness/prokura.js";

const server = await startProkura();
const names = (await readdir("examples")).filter((name) => name.endsWith(".ts"));
assert.ok(names.length > 0);

/** Runs an example unchanged. It has no type annotations, so Node can run it. */
async function run(name: string): Promise<string> {
  const program = name.replace(/\.ts$/, ".mjs");
  await copyFile(`examples/${name}`, program);
  const { clientId, clientSecret } = server.bootstrap;
  const env = {
    ...process.env,
    PROKURA_URL: server.url,
    PROKURA_CLIENT_ID: clientId,
    PROKURA_CLIENT_SECRET: clientSecret,
    KONTEXT_URL: server.url,
    KONTEXT_CLIENT_ID: clientId,
    KONTEXT_CLIENT_SECRET: clientSecret,
  };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program], { env });
  assert.equal(stderr, "");
  return stdout;
}

for (const name of names) {
  test(`${name} runs`, async () => {
    await run(name);
  });
}

test("a program for Kontext's SDK runs unchanged", async () => {
  const lines = (await run("kontext.ts")).trimEnd().split("\n");
  assert.match(lines[0] ?? "", /^created [0-9a-f-]{36} sa_[0-9a-f-]{36} 53$/);
  assert.match(lines[1] ?? "", /^listed .*CI Pipeline/);
  assert.match(lines[2] ?? "", /^got sa_[0-9a-f-]{36} Used by GitHub Actions to manage integrations$/);
  assert.deepEqual(lines.slice(3), ["rotated true", "revoked true"]);
});

test("the README shows all examples unchanged", async () => {
  const readme = await readFile("README.md", "utf8");
  const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block]) => block ?? "");
  const examples = await Promise.all(names.map((name) => readFile(`examples/${name}`, "utf8")));
  for (const block of blocks) {
    assert.ok(
      examples.some((example) => example.includes(block)),
      `no example has\n${block}`,
    );
  }
  for (const [index, example] of examples.entries()) {
    assert.ok(
      blocks.some((block) => example.includes(block)),
      `the README does not show ${names[index]}`,
    );
  }
});
