/**
 * The clock that times calls, pauses and tokens.
 *
 * @module
 */

/** Tells the time and waits. Tests can pass their own. */
export interface Clock {
  /** The time in milliseconds since any fixed point. It must not go backwards. */
  now(): number;
  /** Waits this many milliseconds. Rejects with the signal's reason as soon as the signal is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The longest delay that `setTimeout` supports. With a longer one it fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  // Not Date.now(): a change of the system clock must not end calls or expire tokens.
  now: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const abort = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener("abort", abort);
          resolve();
        },
        Math.min(milliseconds, LONGEST_MS),
      );
      signal.addEventListener("abort", abort, { once: true });
    }),
};
