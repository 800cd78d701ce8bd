/**
 * Which requests are sent again, and after what pause. `sdk/behaviour.json` lists the rules, which are those of the Rust SDK.
 *
 * @module
 */

import { HttpError, NetworkError } from "./errors.js";
import type { Outgoing } from "./request.js";

/** The longest pause before the first retry. It doubles with each retry, up to {@link LONGEST_BACKOFF_MS}. */
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 10_000;

/** The statuses of temporary failures: too many requests, and three for an unavailable server. */
const TRANSIENT = [429, 502, 503, 504];

/** The pause before the request is sent again, in milliseconds. `undefined`: the request must not be sent again. */
export function pauseBeforeRetry(request: Outgoing, error: unknown, retries: number): number | undefined {
  const isTransient =
    error instanceof NetworkError || (error instanceof HttpError && TRANSIENT.includes(error.statusCode));
  if (!isTransient || (!request.isRepeatable && mayHaveBeenDone(error))) {
    return undefined;
  }
  const asked = error instanceof HttpError ? (error.retryAfter ?? 0) : 0;
  return asked * 1000 + backoff(retries);
}

/** Whether the server may have done what the request asks for, although the request failed. */
export function mayHaveBeenDone(error: unknown): boolean {
  if (error instanceof HttpError) {
    // RFC 6585 §4: a request that is answered with 429 was not processed.
    return error.statusCode !== 429;
  }
  return !(error instanceof NetworkError) || error.mayHaveArrived;
}

/** A random pause between half and all of the longest, so that clients that failed together do not retry together. */
function backoff(retries: number): number {
  const longest = Math.min(FIRST_BACKOFF_MS * 2 ** retries, LONGEST_BACKOFF_MS);
  return longest * (0.5 + Math.random() / 2);
}

/**
 * `Retry-After` in seconds (RFC 9110 §10.2.3). A date is compared with the answer's own `Date`, so the local clock need not
 * be right. `undefined`: the header is missing or malformed.
 */
export function retryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(text)) {
    return Number(text);
  }
  const seconds = (parseDate(text) - parseDate(headers.get("date")?.trim() ?? "")) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

/** RFC 9110 §5.6.7: three forms, all in GMT; the oldest does not say so. `NaN`: not a date. */
function parseDate(text: string): number {
  const isDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text);
  return isDate ? Date.parse(text.endsWith(" GMT") ? text : `${text} GMT`) : NaN;
}
