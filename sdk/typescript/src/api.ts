/**
 * Calls of the management API: with a token, within a time, in its language.
 *
 * @module
 */

import type { AccessTokens } from "./access-token.js";
import { isUnauthorizedError, NetworkError } from "./errors.js";
import { type Http, type Outgoing, record, whole } from "./http.js";
import type { CallOptions, Deadline } from "./time.js";

/** What a change of an account takes. */
export interface ChangeOptions extends CallOptions {
  /**
   * The `etag` of the account as you know it: if it is not that any more, nothing happens, and the call fails with 412
   * `precondition_failed`.
   */
  ifMatch?: string | undefined;
}

/** What a call that makes a secret takes. */
export interface IdempotentOptions extends CallOptions {
  /**
   * Names the call, so that it has one effect however often it is sent. The client makes a key of its own for each call
   * and sends it with each try; give one to repeat a call later, or from another process.
   */
  idempotencyKey?: string | undefined;
}

/** A value of a query parameter; a list stands for a repeated one. */
type Parameter = string | number | boolean | Date | readonly string[] | undefined;

export interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** The path below the API's base, piece by piece. */
  path: readonly string[];
  query?: { [name: string]: Parameter };
  body?: object | undefined;
  ifMatch?: string | undefined;
  idempotencyKey?: string | undefined;
  /** Whether it may be sent again when nobody knows whether it arrived. It always may with GET, DELETE and a key. */
  isRepeatable?: boolean;
}

/** An answer that came with an `ETag`. */
export interface Tagged {
  /**
   * The version of the account, for `ifMatch`. It is a header of the answer and no part of its body, so it is not
   * enumerable: neither printed nor compared nor spread.
   */
  readonly etag?: string;
}

export class Api {
  readonly #http: Http;
  readonly #tokens: AccessTokens;
  readonly #base: string;

  constructor(http: Http, tokens: AccessTokens, base: string) {
    this.#http = http;
    this.#tokens = tokens;
    this.#base = base;
  }

  /** A call that is answered with an object, which must have this member. */
  async json<T extends object>(call: Call, member: keyof T & string, options: CallOptions): Promise<T & Tagged> {
    const request = this.#outgoing(call);
    const { response, text } = await this.#http.within(options, (deadline) => this.#send(request, deadline, whole));
    const body = record(text);
    if (!(member in body)) {
      throw this.#http.refusal(request, response, "");
    }
    const value = response.headers.get("etag");
    return (value === null ? body : Object.defineProperty(body, "etag", { value })) as T & Tagged;
  }

  /** A call that is answered with nothing. */
  async done(call: Call, options: CallOptions): Promise<void> {
    const request = this.#outgoing(call);
    await this.#http.within(options, (deadline) => this.#send(request, deadline, whole));
  }

  /** A call that is answered with an object per line, as they come; each must have this member. */
  async *lines<T extends object>(
    call: Call,
    member: keyof T & string,
    options: CallOptions,
  ): AsyncGenerator<T, void, undefined> {
    const request = this.#outgoing(call);
    const deadline = this.#http.deadline(options);
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    try {
      const response = await this.#send(request, deadline, async (response) => response);
      const stream = (reader = response.body?.getReader());
      const decoder = new TextDecoder();
      let rest = "";
      while (stream) {
        deadline.restart();
        const { done, value } = await this.#http.reach(request, deadline, () => stream.read());
        // Whoever takes his time over a line is not the server's fault.
        deadline.pause();
        if (done) {
          break;
        }
        const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const object = record(line);
          if (!(member in object)) {
            throw this.#http.refusal(request, response, "");
          }
          yield object as T;
        }
      }
      if (rest !== "") {
        throw new NetworkError(`the answer from ${new URL(request.url).origin} ended in the middle of a line`);
      }
    } finally {
      deadline.close();
      // Left early, the rest is not wanted. Where it broke off there is nothing left to cancel.
      await reader?.cancel().catch(() => {});
    }
  }

  async #send<T>(request: Outgoing, deadline: Deadline, read: (response: Response) => Promise<T>): Promise<T> {
    const token = await this.#tokens.get(deadline);
    try {
      return await this.#http.send(authorized(request, token), deadline, read);
    } catch (error) {
      if (!isUnauthorizedError(error)) {
        throw error;
      }
      // It may have been revoked, or the server lost its key: one other token, once.
      const other = await this.#tokens.replace(token, deadline);
      return await this.#http.send(authorized(request, other), deadline, read);
    }
  }

  #outgoing(call: Call): Outgoing {
    const headers = new Headers({ accept: "application/json" });
    let body: string | undefined;
    if (call.body !== undefined) {
      headers.set("content-type", call.method === "PATCH" ? "application/merge-patch+json" : "application/json");
      body = JSON.stringify(call.body);
    }
    if (call.ifMatch !== undefined) {
      headers.set("if-match", call.ifMatch);
    }
    if (call.idempotencyKey !== undefined) {
      headers.set("idempotency-key", structuredString(call.idempotencyKey));
    }
    return {
      method: call.method,
      url: this.#base + call.path.map(segment).join("") + query(call.query ?? {}),
      headers,
      body,
      isRepeatable:
        call.isRepeatable || call.idempotencyKey !== undefined || call.method === "GET" || call.method === "DELETE",
    };
  }
}

/** A new key for a call that is to have one effect. */
export async function newIdempotencyKey(): Promise<string> {
  // Web Crypto is a global everywhere but in Node 18. The name is a variable so that no bundler looks for it.
  const builtin = "node:crypto";
  const crypto = globalThis.crypto ?? ((await import(builtin)) as { webcrypto: Crypto }).webcrypto;
  return crypto.randomUUID();
}

function authorized(request: Outgoing, token: string): Outgoing {
  const headers = new Headers(request.headers);
  headers.set("authorization", `Bearer ${token}`);
  return { ...request, headers };
}

/** A piece of a path. What a URL would take for a way up or for nothing would call something else. */
function segment(text: string): string {
  if (typeof text !== "string" || text === "" || text === "." || text === "..") {
    throw new TypeError(`an id must be a non-empty string, not ${JSON.stringify(text)}`);
  }
  return `/${encodeURIComponent(text)}`;
}

function query(parameters: { [name: string]: Parameter }): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
      search.append(name, one instanceof Date ? one.toISOString() : String(one));
    }
  }
  const text = search.toString();
  return text && `?${text}`;
}

/** RFC 9651 §3.3.3: a string as a structured field. */
function structuredString(text: string): string {
  if (!/^[\x20-\x7e]+$/.test(text)) {
    throw new TypeError("an idempotency key must be printable ASCII, and not empty");
  }
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
