/**
 * Sending a request until it is answered for good, and reading refusals.
 *
 * @module
 */

import { type FieldError, HttpError, NetworkError, OAuthError } from "./errors.js";
import { type CallOptions, type Clock, Deadline } from "./time.js";

/** A request, ready to be sent as often as it takes. */
export interface Outgoing {
  method: string;
  url: string;
  headers: Headers;
  body?: string | undefined;
  /** Sent twice it does what it does when sent once: so it may be sent again when nobody knows whether it arrived. */
  isRepeatable: boolean;
  /** A refusal is worded as OAuth words it (RFC 6749 §5.2). */
  isOAuth?: boolean;
}

/** The first wait before sending again; it doubles each time. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

export interface HttpConfig {
  fetch: typeof fetch;
  clock: Clock;
  timeoutMs: number;
  maxRetries: number;
  /** Where the server describes its API; for errors. */
  docsUrl: string;
}

export class Http {
  readonly #config: HttpConfig;

  constructor(config: HttpConfig) {
    this.#config = config;
  }

  get clock(): Clock {
    return this.#config.clock;
  }

  /** When a call with these options ends. Must be closed. */
  deadline({ timeoutMs = this.#config.timeoutMs, signal }: CallOptions): Deadline {
    return new Deadline(this.clock, timeoutMs, signal);
  }

  /** Makes a call that ends with what it answers. */
  async within<T>(options: CallOptions, call: (deadline: Deadline) => Promise<T>): Promise<T> {
    const deadline = this.deadline(options);
    try {
      return await call(deadline);
    } finally {
      deadline.close();
    }
  }

  /** Sends it, again if need be and there is time, and reads the answer of a success. Any other answer is thrown. */
  async send<T>(request: Outgoing, deadline: Deadline, read: (response: Response) => Promise<T>): Promise<T> {
    let mayHaveHappened = false;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#exchange(request, deadline, read, mayHaveHappened);
      } catch (error) {
        const waitMs = attempt < this.#config.maxRetries ? waitBeforeNext(request, error, attempt) : undefined;
        if (waitMs === undefined || deadline.signal.aborted || waitMs > deadline.leftMs) {
          throw error;
        }
        mayHaveHappened ||= !(error instanceof HttpError) || error.statusCode >= 500;
        await this.clock.sleep(waitMs, deadline.signal);
      }
    }
  }

  /** Reads what is left of an answer, or anything else that the network may fail at. */
  async reach<T>(request: Outgoing, deadline: Deadline, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (cause) {
      // Whatever fails after the end fails because of it.
      deadline.signal.throwIfAborted();
      throw new NetworkError(`no answer from ${new URL(request.url).origin}: ${reason(cause)}`, { cause });
    }
  }

  async #exchange<T>(
    request: Outgoing,
    deadline: Deadline,
    read: (response: Response) => Promise<T>,
    mayHaveHappened: boolean,
  ): Promise<T> {
    // Called as a plain function: some runtimes refuse a fetch that is called as a method of something else.
    const { fetch } = this.#config;
    const { method, headers, url } = request;
    const response = await this.reach(request, deadline, () =>
      // A redirect is not followed: it would carry a secret or a token to where nobody meant to send it.
      fetch(url, { method, headers, body: request.body ?? null, redirect: "manual", signal: deadline.signal }),
    );
    // What an earlier try has deleted is not found by the next one.
    if (response.ok || (mayHaveHappened && method === "DELETE" && response.status === 404)) {
      return await this.reach(request, deadline, () => read(response));
    }
    const text = await this.reach(request, deadline, () => response.text());
    throw this.refusal(request, response, text);
  }

  /** What an answer says that is no success, or that is none of this API's. */
  refusal(request: Outgoing, response: Response, text: string): HttpError {
    const body = record(text);
    const details = {
      statusCode: response.status,
      requestId: string(body["requestId"]) ?? response.headers.get("x-request-id") ?? undefined,
      retryAfter: this.#retryAfter(response.headers.get("retry-after")),
      docsUrl: this.#config.docsUrl,
    };
    if (request.isOAuth && !response.ok && typeof body["error"] === "string") {
      const { error: code, error_description: description, ...meta } = body;
      const errorDescription = string(description);
      return new OAuthError(errorDescription ?? code, { ...details, code, errorDescription, meta });
    }
    if (!request.isOAuth && !response.ok && typeof body["message"] === "string") {
      const { message, code, statusCode: _, requestId: __, errors, missingScopes, ...meta } = body;
      return new HttpError(message, {
        ...details,
        code: string(code) ?? "unexpected_response",
        validationErrors: Array.isArray(errors) ? (errors as FieldError[]) : undefined,
        missingScopes: Array.isArray(missingScopes) ? (missingScopes as string[]) : undefined,
        meta,
      });
    }
    // Its text may be anything, a token even, so it is not repeated.
    return new HttpError(
      `${request.method} ${request.url.split("?")[0]} was answered with ${response.status}, but not as this API ` +
        "answers; see whether the URLs that the client was given are right, and what stands before the server",
      { ...details, code: "unexpected_response" },
    );
  }

  /** RFC 9110 §10.2.3: seconds, or a date. */
  #retryAfter(value: string | null): number | undefined {
    if (value === null || /^\s*\d+\s*$/.test(value)) {
      return value === null ? undefined : Number(value);
    }
    const at = Date.parse(value);
    return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - this.clock.now()) / 1000));
  }
}

/** An answer with its body, read to the end. */
export async function whole(response: Response): Promise<{ response: Response; text: string }> {
  return { response, text: await response.text() };
}

/** The text as a JSON object; an empty one if it is none. */
export function record(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

/** How long to wait before sending it again, in milliseconds. `undefined`: it must not be. */
function waitBeforeNext(request: Outgoing, error: unknown, attempt: number): number | undefined {
  const most = Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS);
  // Clients that were refused together should not come back together.
  const backoff = most / 2 + (Math.random() * most) / 2;
  if (error instanceof HttpError && (error.statusCode === 429 || error.statusCode === 503)) {
    return (error.retryAfter ?? 0) * 1000 + backoff;
  }
  const isUnknown =
    error instanceof NetworkError ||
    (error instanceof HttpError && (error.statusCode === 502 || error.statusCode === 504));
  return isUnknown && request.isRepeatable ? backoff : undefined;
}

/** What fetch says went wrong: the message is in the cause, or in the cause's code. */
function reason(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || "the connection failed";
}

function string(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
