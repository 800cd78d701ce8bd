/** A small HTTP server that misbehaves in ways in which the real one does not. */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { ManagementClient, type ManagementClientConfig } from "@prokura/sdk/management";
import { TestClock } from "./clock.js";

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Reply {
  status?: number;
  headers?: { [name: string]: string };
  /** An object is sent as JSON. */
  body?: object | string;
}

/** Answers a request, or does something else to it. */
export type Handler = (request: Received, response: ServerResponse) => Reply | undefined | Promise<Reply | undefined>;

export const SECRET = "prk_a_secret_that_nobody_may_see";

/** A URL at which nothing listens. The port is one that fetch does not block. */
export const NOWHERE = "http://127.0.0.1:2";

/** Never answers. */
export const hang: Handler = () => undefined;
/** Closes the connection without an answer. */
export const breakOff: Handler = (_, response) => {
  response.destroy();
  return undefined;
};

/** Starts a server that issues tokens (`token-1`, `token-2` …) at its token endpoint and answers other requests with `handler`. */
export async function startStandIn(
  t: TestContext,
  handler: Handler = () => ({ body: { items: [] } }),
  token: Handler = () => ({}),
): Promise<StandIn> {
  const standIn = new StandIn();
  const server = createServer((incoming, response) => {
    response.sendDate = false;
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "", url: path = "", headers } = incoming;
      const request = { method, path, headers, body: Buffer.concat(chunks).toString() };
      void (async () => {
        const isToken = path === "/oauth2/token";
        const list = isToken ? standIn.tokenRequests : standIn.requests;
        list.push(request);
        standIn.onRequest();
        let reply = await (isToken ? token : handler)(request, response);
        if (isToken && reply) {
          const body = { access_token: `token-${list.length}`, token_type: "Bearer", expires_in: 3600 };
          reply = { ...reply, body: reply.body ?? body };
        }
        if (reply) {
          const { status = 200, body = "" } = reply;
          response.writeHead(status, reply.headers).end(typeof body === "string" ? body : JSON.stringify(body));
        }
      })();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  standIn.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return standIn;
}

export class StandIn {
  url = "";
  readonly clock = new TestClock();
  readonly requests: Received[] = [];
  readonly tokenRequests: Received[] = [];
  onRequest = () => {};

  client(config: Partial<ManagementClientConfig> = {}): ManagementClient {
    return new ManagementClient({
      baseUrl: this.url,
      credentials: { clientId: "sa_1", clientSecret: SECRET },
      clock: this.clock,
      ...config,
    });
  }

  /** Waits for this many requests. Token requests do not count. */
  async received(count: number): Promise<void> {
    while (this.requests.length < count) {
      await new Promise<void>((resolve) => (this.onRequest = resolve));
    }
  }

  /** Waits for this many token requests. */
  async receivedTokenRequests(count: number): Promise<void> {
    while (this.tokenRequests.length < count) {
      await new Promise<void>((resolve) => (this.onRequest = resolve));
    }
  }
}

/** Handles the first request with the first handler, the second with the second, and so on. The last handler handles the rest. */
export function inTurn(...handlers: Handler[]): Handler {
  let turn = 0;
  return (request, response) => {
    const handler = handlers[Math.min(turn, handlers.length - 1)];
    turn += 1;
    return handler?.(request, response);
  };
}

/** Always gives the same answer. */
export function reply(status: number, body?: object | string, headers?: { [name: string]: string }): Handler {
  return () => ({ status, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) });
}
