/** The real server, with its own directory. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { ManagementClient, type ManagementClientConfig } from "@prokura/sdk/management";

const READY = "prokura is serving on ";

export interface OpenApi {
  paths: { [path: string]: { [method: string]: Operation } };
  components: { schemas: { [name: string]: { properties: { [name: string]: unknown } } } };
}

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string }[];
}

/** Starts a server. It is stopped after the tests of the file. */
export async function startProkura(): Promise<Prokura> {
  const binary = process.env["PROKURA"];
  if (!binary) {
    throw new Error("PROKURA is not set to the path of the server's binary: run test.sh");
  }
  const directory = await mkdtemp(join(tmpdir(), "prokura-sdk-"));
  // The server must not read configuration from the environment of the tests.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PROKURA_")));
  const child = spawn(binary, ["serve", "--listen", "127.0.0.1:0"], {
    cwd: directory,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  process.once("SIGTERM", () => process.exit(1));
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));

  after(async () => {
    if (child.exitCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
    process.off("exit", kill);
    await rm(directory, { recursive: true });
  });

  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith(READY)) {
      const url = line.slice(READY.length);
      const bootstrap = JSON.parse(await readFile(join(directory, "prokura-data/bootstrap.json"), "utf8")) as Bootstrap;
      const openapi = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi;
      return new Prokura(url, directory, bootstrap, openapi, () => log);
    }
  }
  throw new Error(`prokura did not start: ${log}`);
}

interface Bootstrap {
  organizationId: string;
  serviceAccountId: string;
  clientId: string;
  clientSecret: string;
}

export class Prokura {
  constructor(
    readonly url: string,
    readonly directory: string,
    readonly bootstrap: Bootstrap,
    readonly openapi: OpenApi,
    readonly log: () => string,
  ) {}

  /** Waits until the log contains `text`. The server does not wait for its log. */
  async logged(text: string): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!this.log().includes(text)) {
      if (Date.now() > deadline) throw new Error(`${text} is not in the log: ${this.log()}`);
      await new Promise((done) => setTimeout(done, 5));
    }
  }

  /** A client with the credentials of the first account, unless `config` has others. */
  client(config: Partial<ManagementClientConfig> = {}): ManagementClient {
    const { clientId, clientSecret } = this.bootstrap;
    return new ManagementClient({ baseUrl: this.url, credentials: { clientId, clientSecret }, ...config });
  }
}
