/** A clock that stands still until a test moves it. */

import type { Clock } from "@prokura/sdk/management";

/** Whether a sleep is the timeout of an attempt or of a call, and not a pause. */
const isTimeout = (milliseconds: number) => milliseconds === 10_000 || milliseconds >= 30_000;

interface Sleeper {
  milliseconds: number;
  endsAt: number;
  wake: () => void;
}

export class TestClock implements Clock {
  #now = Date.parse("2026-11-23T12:00:00.000Z");
  #sleepers: Sleeper[] = [];
  #onSleep = () => {};

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const sleeper = { milliseconds, endsAt: this.#now + milliseconds, wake: resolve };
      this.#sleepers.push(sleeper);
      signal.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
      this.#onSleep();
    });
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    const awake = this.#sleepers.filter(({ endsAt }) => endsAt <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ endsAt }) => endsAt > this.#now);
    awake.forEach(({ wake }) => wake());
  }

  /** Waits for a pause, which is any sleep that is no timeout; moves the clock to its end, and returns its length. */
  async pass(): Promise<number> {
    for (;;) {
      const sleeper = this.#sleepers.find(({ milliseconds }) => !isTimeout(milliseconds));
      if (sleeper) {
        this.advance(sleeper.endsAt - this.#now);
        return sleeper.milliseconds;
      }
      await new Promise<void>((resolve) => (this.#onSleep = resolve));
    }
  }

  /** Waits until this many sleep. */
  async sleepers(count: number): Promise<void> {
    while (this.#sleepers.length < count) {
      await new Promise<void>((resolve) => (this.#onSleep = resolve));
    }
  }

  /** How many sleep. */
  get asleep(): number {
    return this.#sleepers.length;
  }
}
