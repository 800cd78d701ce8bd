/**
 * How long a call may take.
 *
 * @module
 */

import type { Clock } from "./clock.js";
import { TimeoutError } from "./errors.js";

/** The options that every call takes. */
export interface CallOptions {
  /** Aborts the call. The call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * How long the call may take, in milliseconds: the token request, every retry, and every pause before a retry. Default:
   * the client's `timeoutMs`. For an iterator over pages it applies to each page; for an export, to the beginning of the
   * response.
   */
  timeoutMs?: number | undefined;
}

/** Ends a call when its caller aborts it or when it has taken too long. */
export class Deadline {
  readonly #clock: Clock;
  readonly #caller: AbortSignal | undefined;
  readonly #end = new AbortController();
  readonly #followCaller = () => this.#end.abort(this.#caller?.reason);
  #timer = new AbortController();
  #endsAt = Infinity;
  /** What the call is waiting for. A timeout names it. */
  waitsFor = "the server";

  /** Starts the timer. Throws the signal's reason if the caller has already aborted. The deadline must be closed. */
  constructor(clock: Clock, timeoutMs: number, caller: AbortSignal | undefined) {
    caller?.throwIfAborted();
    if (!(timeoutMs > 0)) {
      throw new TypeError("timeoutMs must be a positive number of milliseconds");
    }
    this.#clock = clock;
    this.#caller = caller;
    caller?.addEventListener("abort", this.#followCaller, { once: true });
    this.restart(timeoutMs);
  }

  /** Aborted when the call must end. The call then rejects with the signal's reason. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** How much time is left, in milliseconds. */
  get leftMs(): number {
    return this.#endsAt - this.#clock.now();
  }

  /** A deadline for one attempt. It ends with this one at the latest. */
  attempt(timeoutMs: number): Deadline {
    const attempt = new Deadline(this.#clock, timeoutMs, this.signal);
    attempt.waitsFor = this.waitsFor;
    return attempt;
  }

  /** Restarts the timer. */
  restart(timeoutMs: number): void {
    this.pause();
    this.#timer = new AbortController();
    this.#endsAt = this.#clock.now() + timeoutMs;
    this.#clock.sleep(timeoutMs, this.#timer.signal).then(
      () => this.#end.abort(new TimeoutError(`${this.waitsFor} did not answer within ${timeoutMs / 1000} s`)),
      () => {},
    );
  }

  /** Stops the timer until it is restarted. The caller can still abort. */
  pause(): void {
    this.#timer.abort();
    this.#endsAt = Infinity;
  }

  /** Waits for a promise that other calls may share. The deadline ends only this wait. */
  async wait<T>(waitsFor: string, shared: Promise<T>): Promise<T> {
    this.waitsFor = waitsFor;
    let giveUp = () => {};
    const end = new Promise<never>((_, reject) => {
      giveUp = () => reject(this.signal.reason);
      this.signal.addEventListener("abort", giveUp, { once: true });
    });
    if (this.signal.aborted) {
      giveUp();
    }
    try {
      return await Promise.race([shared, end]);
    } finally {
      this.signal.removeEventListener("abort", giveUp);
    }
  }

  /** Stops the timer and stops listening to the caller's signal. */
  close(): void {
    this.pause();
    this.#caller?.removeEventListener("abort", this.#followCaller);
  }
}
