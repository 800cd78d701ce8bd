/**
 * Sends requests, and sends them again where that is safe.
 *
 * @module
 */

import type { Clock } from "./clock.js";
import { type CallOptions, Deadline } from "./deadline.js";
import { type HttpError, NetworkError } from "./errors.js";
import { refusal } from "./refusal.js";
import { type Answer, type Outgoing, shownUrl } from "./request.js";
import { mayHaveBeenDone, pauseBeforeRetry } from "./retry.js";

export interface HttpConfig {
  fetch: typeof fetch;
  clock: Clock;
  timeoutMs: number;
  attemptTimeoutMs: number;
  maxRetries: number;
  /** Where the server describes its API. Errors carry it. */
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

  /** How long one attempt may take, and how long an export may stall. */
  get attemptTimeoutMs(): number {
    return this.#config.attemptTimeoutMs;
  }

  /** The deadline of a call with these options. It must be closed. */
  deadline({ timeoutMs = this.#config.timeoutMs, signal }: CallOptions): Deadline {
    return new Deadline(this.clock, timeoutMs, signal);
  }

  /** Runs a call within its deadline. */
  async within<T>(options: CallOptions, call: (deadline: Deadline) => Promise<T>): Promise<T> {
    const deadline = this.deadline(options);
    try {
      return await call(deadline);
    } finally {
      deadline.close();
    }
  }

  /**
   * Sends a request until it succeeds, must not be sent again, or has no time for another attempt. `read` reads a successful
   * answer. Any other answer is thrown as an error.
   */
  async send<T>(request: Outgoing, deadline: Deadline, read: (response: Response) => Promise<T>): Promise<T> {
    deadline.waitsFor = shownUrl(request);
    let mayBeDone = false;
    for (let retries = 0; ; retries += 1) {
      const attempt = deadline.attempt(this.attemptTimeoutMs);
      try {
        const outcome = await this.#exchange(request, attempt, read, mayBeDone);
        // Not closed: an abort of the call must still end a body that is being streamed.
        attempt.pause();
        return outcome;
      } catch (error) {
        attempt.close();
        const pauseMs = retries < this.#config.maxRetries ? pauseBeforeRetry(request, error, retries) : undefined;
        if (pauseMs === undefined || deadline.signal.aborted || pauseMs >= deadline.leftMs) {
          throw error;
        }
        mayBeDone ||= mayHaveBeenDone(error);
        await this.clock.sleep(pauseMs, deadline.signal);
      }
    }
  }

  /** Runs `work`. If the connection fails, throws a `NetworkError`; if the deadline has passed, its error. */
  async reach<T>(request: Outgoing, deadline: Deadline, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      // After the deadline every failure is caused by it.
      deadline.signal.throwIfAborted();
      const mayHaveArrived = !isConnectFailure(cause);
      const what = mayHaveArrived ? "lost the connection to" : "cannot connect to";
      throw new NetworkError(`${what} ${shownUrl(request)}: ${reason(cause)}`, { cause, mayHaveArrived });
    }
  }

  /** The error for an answer that is not a success, or does not have the documented form. */
  refusal(request: Outgoing, answer: Answer): HttpError {
    return refusal(request, answer, this.#config.docsUrl);
  }

  async #exchange<T>(
    request: Outgoing,
    attempt: Deadline,
    read: (response: Response) => Promise<T>,
    mayBeDone: boolean,
  ): Promise<T> {
    // Called as a plain function: some runtimes refuse a fetch that is called as a method of another object.
    const { fetch } = this.#config;
    const { method, headers, url } = request;
    const response = await this.reach(request, attempt, () =>
      // A redirect is not followed: it would carry a secret or a token to another server.
      fetch(url, { method, headers, body: request.body ?? null, redirect: "manual", signal: attempt.signal }),
    );
    // If an earlier attempt may have deleted it, "not found" is a success.
    if (response.ok || (mayBeDone && method === "DELETE" && response.status === 404)) {
      return await this.reach(request, attempt, () => read(response));
    }
    const text = await this.reach(request, attempt, () => response.text());
    throw this.refusal(request, { response, text });
  }
}

interface SystemError {
  message?: string;
  code?: string;
  syscall?: string;
  /** The failures of several addresses of one host. */
  errors?: SystemError[];
}

/** Whether fetch failed before there was a connection, as far as the runtime tells. The server then got no request. */
function isConnectFailure(error: unknown): boolean {
  const { cause } = error as { cause?: SystemError };
  const failures = cause?.errors?.length ? cause.errors : [cause];
  return failures.every(
    (failure) =>
      failure?.syscall === "connect" ||
      failure?.syscall === "getaddrinfo" ||
      failure?.code === "UND_ERR_CONNECT_TIMEOUT",
  );
}

/** Why fetch failed: the message or the code of the cause. */
function reason(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: SystemError };
  return cause?.message || cause?.code || message || "the connection failed";
}
