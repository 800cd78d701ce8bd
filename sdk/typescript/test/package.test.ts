// The published package.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const installed = "node_modules/@prokura/sdk";
const manifest = JSON.parse(await readFile(`${installed}/package.json`, "utf8")) as {
  version: string;
  dependencies?: object;
  exports: { [entry: string]: { types: string; default: string } | string };
};

test("the package depends on nothing", () => {
  assert.equal(manifest.dependencies, undefined);
});

test("no source file imports itself, not even by way of others", async () => {
  const imports = new Map<string, string[]>();
  for (const file of await readdir("src")) {
    const text = await readFile(`src/${file}`, "utf8");
    const imported = [...text.matchAll(/ from "\.\/([^"]+)\.js"/g)].map(([, name]) => `${name}.ts`);
    imports.set(file, imported);
  }
  assert.ok([...imports.values()].flat().length > 20);
  const visit = (file: string, path: string[]) => {
    assert.ok(!path.includes(file), [...path, file].join(" -> "));
    (imports.get(file) ?? []).forEach((imported) => visit(imported, [...path, file]));
  };
  [...imports.keys()].forEach((file) => visit(file, []));
});

test("the package has the built files, the README and the licences", async () => {
  const files = await readdir(installed);
  assert.deepEqual(files.sort(), ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "dist", "package.json"]);
  for (const file of await readdir(`${installed}/dist`)) {
    assert.match(file, /\.(js|d\.ts)$/);
    // It imports nothing of Node, except Web Crypto where that is no global (Node 18).
    const text = await readFile(`${installed}/dist/${file}`, "utf8");
    assert.doesNotMatch(text, /from "(?!\.\/)|require\(/, file);
  }
});

test("each entry has its types and can be imported", async () => {
  const entries = Object.entries(manifest.exports).filter(([, target]) => typeof target !== "string");
  assert.deepEqual(
    entries.map(([entry]) => entry),
    [".", "./management", "./errors"],
  );
  for (const [entry, target] of entries) {
    assert.ok(typeof target !== "string");
    await readFile(join(installed, target.types));
    for (const name of ["@prokura/sdk", "@kontext-dev/js-sdk"]) {
      assert.ok(Object.keys((await import(`${name}${entry.slice(1)}`)) as object).includes("isUnauthorizedError"));
    }
  }
});

test("npm installs it under the name of Kontext's SDK", async (t) => {
  // A registry with one package, so that the command is exactly that of the README.
  const tarball = await readFile("../prokura-sdk.tgz");
  const server = createServer((request, response) => {
    if (request.url?.endsWith(".tgz")) {
      response.end(tarball);
      return;
    }
    const { version } = manifest;
    const dist = {
      tarball: `${url}/sdk.tgz`,
      integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
    };
    const versions = { [version]: { ...manifest, dist } };
    response.end(JSON.stringify({ name: "@prokura/sdk", "dist-tags": { latest: version }, versions }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const directory = await mkdtemp(join(tmpdir(), "prokura-sdk-"));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  });

  await writeFile(join(directory, "package.json"), '{ "private": true }');
  const readme = await readFile("README.md", "utf8");
  const command = /^npm install (@kontext-dev\/js-sdk@npm:\S+)$/m.exec(readme)?.[1] ?? "";
  const options = ["--registry", url, "--cache", join(directory, "cache"), "--no-audit", "--no-fund"];
  await promisify(execFile)("npm", ["install", command, ...options], { cwd: directory });

  await writeFile(
    join(directory, "program.mjs"),
    'import { KontextManagementClient } from "@kontext-dev/js-sdk/management"; console.log(KontextManagementClient.name);',
  );
  const { stdout } = await promisify(execFile)(process.execPath, ["program.mjs"], { cwd: directory });
  assert.equal(stdout, "ManagementClient\n");
});
