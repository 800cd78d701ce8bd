/**
 * An access token, and when it is replaced.
 *
 * @module
 */

/** How long a token of unknown lifetime is used. */
const ASSUMED_LIFETIME_MS = 300_000;
/** The earliest renewal of a token: this long before it expires. */
const LONGEST_RENEWAL_MS = 300_000;
/** The longest time before its expiry in which a token is no longer sent, because the request must arrive before the expiry. */
const LONGEST_MARGIN_MS = 10_000;

/** An access token. Times are those of the client's clock. */
export interface AccessToken {
  value: string;
  /** When it should be renewed. */
  renewAt: number;
  /** When it must no longer be used. */
  useUntil: number;
}

/**
 * Reads a token response (RFC 6749 §5.1). The lifetime counts from `requestedAt`. Returns `undefined` if the response has no
 * bearer token (RFC 6750 §2.1).
 */
export function accessToken(body: Record<string, unknown>, requestedAt: number): AccessToken | undefined {
  const { access_token: value, token_type: type, expires_in: lifetime } = body;
  const isToken = typeof value === "string" && /^[A-Za-z0-9\-._~+/]+=*$/.test(value);
  // RFC 6749 §7.1: a token of a type that is not understood must not be used. Some servers omit the type.
  const kind = type ?? "bearer";
  if (!isToken || typeof kind !== "string" || kind.toLowerCase() !== "bearer") {
    return undefined;
  }
  const lifetimeMs = (seconds(lifetime) ?? ASSUMED_LIFETIME_MS / 1000) * 1000;
  const margin = Math.min(lifetimeMs / 10, LONGEST_MARGIN_MS);
  // Random, so that clients that got their tokens together do not renew them together.
  const renewal = Math.min(lifetimeMs / 5, LONGEST_RENEWAL_MS) * (0.75 + Math.random() / 4);
  return { value, renewAt: requestedAt + lifetimeMs - renewal, useUntil: requestedAt + lifetimeMs - margin };
}

/** Reads a number of seconds, which some servers send as a string. Returns `undefined` if it is not a lifetime. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && number >= 0 ? number : undefined;
}
