/**
 * Sends calls of the management API: adds the access token, and reads the answers.
 *
 * @module
 */

import type { CallOptions, Deadline } from "./deadline.js";
import { isUnauthorizedError } from "./errors.js";
import type { Http } from "./http.js";
import { parseObject } from "./json.js";
import { type Outgoing, readAnswer } from "./request.js";
import type { TokenSource } from "./token-source.js";

/** The options of a call that changes an account. */
export interface ChangeOptions extends CallOptions {
  /**
   * Makes the change only if the account is still in this version, which is the `etag` of an earlier answer. Otherwise the
   * call fails with status 412, `precondition_failed`.
   */
  ifMatch?: string | undefined;
}

/** The options of a call that creates a secret. */
export interface IdempotentOptions extends CallOptions {
  /**
   * The key by which the server recognizes a repeat of this call. For 24 hours the server answers a repeat as it answered the
   * first call, including the secret. By default each call has a random key, which its retries share. Pass your own to repeat
   * a call from another process: 1 to 255 characters of printable ASCII that nobody can guess.
   */
  idempotencyKey?: string | undefined;
}

/** The value of a query parameter. An array repeats the parameter. */
type Parameter = string | number | boolean | Date | readonly string[] | undefined;

export interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** The segments of the path below the API's base URL. */
  path: readonly string[];
  query?: { [name: string]: Parameter };
  body?: object | undefined;
  ifMatch?: string | undefined;
  idempotencyKey?: string | undefined;
}

/** An answer that has an `ETag`. */
export interface Tagged {
  /**
   * The version of the account, for `ifMatch`. It is a header of the answer and not part of the body, so it is not
   * enumerable: it is not printed, compared or spread.
   */
  readonly etag?: string;
}

export class Api {
  readonly #http: Http;
  readonly #tokens: TokenSource;
  readonly #base: string;

  constructor(http: Http, tokens: TokenSource, base: string) {
    this.#http = http;
    this.#tokens = tokens;
    this.#base = base;
  }

  /** Sends a call whose answer is an object with this member. */
  async json<T extends object>(call: Call, member: keyof T & string, options: CallOptions): Promise<T & Tagged> {
    const request = this.#outgoing(call);
    const answer = await this.#http.within(options, (deadline) => this.#send(request, deadline, readAnswer));
    const body = parseObject(answer.text);
    if (!(member in body)) {
      throw this.#http.refusal(request, answer);
    }
    const value = answer.response.headers.get("etag");
    return (value === null ? body : Object.defineProperty(body, "etag", { value })) as T & Tagged;
  }

  /** Sends a call whose answer has no content. */
  async done(call: Call, options: CallOptions): Promise<void> {
    const request = this.#outgoing(call);
    await this.#http.within(options, (deadline) => this.#send(request, deadline, readAnswer));
  }

  /** Sends a call whose answer has one object per line, each with this member. Yields the objects as they arrive. */
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
      const parse = (line: string): T => {
        const object = parseObject(line);
        if (!(member in object)) {
          throw this.#http.refusal(request, { response, text: line });
        }
        return object as T;
      };
      const decoder = new TextDecoder();
      let rest = "";
      while (stream) {
        deadline.restart(this.#http.attemptTimeoutMs);
        const { done, value } = await this.#http.reach(request, deadline, () => stream.read());
        // The time that the caller takes for a line does not count.
        deadline.pause();
        if (done) {
          break;
        }
        const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          yield parse(line);
        }
      }
      if (rest !== "") {
        yield parse(rest);
      }
    } finally {
      deadline.close();
      // The caller may have stopped early. If the connection broke, there is nothing to cancel.
      await reader?.cancel().catch(() => {});
    }
  }

  async #send<T>(request: Outgoing, deadline: Deadline, read: (response: Response) => Promise<T>): Promise<T> {
    const token = await this.#tokens.token(deadline);
    try {
      return await this.#http.send(authorized(request, token), deadline, read);
    } catch (error) {
      if (!isUnauthorizedError(error)) {
        throw error;
      }
      // The token may have been revoked. The server did nothing, so any call can be sent again, once.
      this.#tokens.reject(token);
      const other = await this.#tokens.token(deadline);
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
      headers.set("if-match", printable("the ETag", call.ifMatch));
    }
    if (call.idempotencyKey !== undefined) {
      // RFC 9651 §3.3.3: a string is quoted.
      const key = printable("the idempotency key", call.idempotencyKey);
      headers.set("idempotency-key", `"${key.replace(/["\\]/g, "\\$&")}"`);
    }
    return {
      method: call.method,
      url: this.#base + call.path.map(segment).join("") + query(call.query ?? {}),
      headers,
      body,
      isRepeatable: call.method === "GET" || call.method === "DELETE" || call.idempotencyKey !== undefined,
    };
  }
}

/** A random key for a call that must have only one effect. */
export async function newIdempotencyKey(): Promise<string> {
  // Web Crypto is a global everywhere but in Node 18. The name is a variable, so that no bundler resolves it.
  const builtin = "node:crypto";
  const crypto = globalThis.crypto ?? ((await import(builtin)) as { webcrypto: Crypto }).webcrypto;
  return crypto.randomUUID();
}

function authorized(request: Outgoing, token: string): Outgoing {
  const headers = new Headers(request.headers);
  headers.set("authorization", `Bearer ${token}`);
  return { ...request, headers };
}

/** A segment of a path. An ID that is empty, or contains dots or slashes, would change the path. */
function segment(text: string): string {
  if (typeof text !== "string" || !/^[A-Za-z0-9_-]+$/.test(text)) {
    throw new TypeError(`${JSON.stringify(text)} is not an ID: an ID is a UUID`);
  }
  return `/${text}`;
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

/** Checks the value of a header. */
function printable(what: string, text: string): string {
  if (!/^[\x20-\x7e]+$/.test(text)) {
    throw new TypeError(`${what} must be printable ASCII and not empty`);
  }
  return text;
}
