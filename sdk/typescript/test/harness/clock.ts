/** A clock that stands still until it is told. */

import type { Clock } from "@prokura/sdk/management";

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

  /** Waits until somebody sleeps for less than `belowMs`, lets that time pass, and says how long it was. */
  async pass(belowMs = 30_000): Promise<number> {
    for (;;) {
      const sleeper = this.#sleepers.find(({ milliseconds }) => milliseconds < belowMs);
      if (sleeper) {
        this.advance(sleeper.endsAt - this.#now);
        return sleeper.milliseconds;
      }
      await new Promise<void>((resolve) => (this.#onSleep = resolve));
    }
  }

  /** Waits until so many are asleep. */
  async sleepers(count: number): Promise<void> {
    while (this.#sleepers.length < count) {
      await new Promise<void>((resolve) => (this.#onSleep = resolve));
    }
  }

  /** How many are asleep. */
  get asleep(): number {
    return this.#sleepers.length;
  }
}
