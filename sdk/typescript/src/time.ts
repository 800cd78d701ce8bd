/**
 * Time, and how long a call may take.
 *
 * @module
 */

import { TimeoutError } from "./errors.js";

/** What tells the time and waits. A test may bring its own. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Waits, or rejects with the signal's reason as soon as it is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * How long the call may take, in milliseconds, with all that it needs: a token, waiting, trying again. The client's
   * `timeoutMs` unless given. Of an iterator it is each answer, and each piece of one, that may take so long.
   */
  timeoutMs?: number | undefined;
}

/** The longest that `setTimeout` can wait; told to wait longer it does not wait at all. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const end = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener("abort", end);
          resolve();
        },
        Math.min(milliseconds, LONGEST_MS),
      );
      signal.addEventListener("abort", end, { once: true });
    }),
};

/** Ends a call: when its caller says so, or when it has taken too long. */
export class Deadline {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #caller: AbortSignal | undefined;
  readonly #end = new AbortController();
  readonly #followCaller = () => this.#end.abort(this.#caller?.reason);
  #timer = new AbortController();
  #endsAt = Infinity;

  /** Rejects nothing by itself; throws the caller's reason if he has given up already. Must be closed. */
  constructor(clock: Clock, timeoutMs: number, caller: AbortSignal | undefined) {
    caller?.throwIfAborted();
    if (!(timeoutMs > 0)) {
      throw new TypeError("timeoutMs must be a positive number of milliseconds");
    }
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#caller = caller;
    caller?.addEventListener("abort", this.#followCaller, { once: true });
    this.restart();
  }

  /** Aborted when the call has to end; its reason is what the call rejects with. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** How much time is left, in milliseconds. */
  get leftMs(): number {
    return this.#endsAt - this.#clock.now();
  }

  /** Gives the whole time again. */
  restart(): void {
    this.pause();
    this.#timer = new AbortController();
    this.#endsAt = this.#clock.now() + this.#timeoutMs;
    this.#clock.sleep(this.#timeoutMs, this.#timer.signal).then(
      () => this.#end.abort(new TimeoutError(`no answer within ${this.#timeoutMs} ms`)),
      () => {},
    );
  }

  /** Stops the time, until it is restarted. */
  pause(): void {
    this.#timer.abort();
    this.#endsAt = Infinity;
  }

  /** Waits for something that others may be waiting for too: its end is the end of this wait alone. */
  async wait<T>(shared: Promise<T>): Promise<T> {
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

  /** Lets go of the clock and of the caller's signal. */
  close(): void {
    this.pause();
    this.#caller?.removeEventListener("abort", this.#followCaller);
  }
}
