/**
 * Everything that a call can fail with, except two: what the caller's own `AbortSignal` says, and the `TypeError` for an
 * argument that cannot be sent at all.
 *
 * @module
 */

/** What kind of failure it is, under a name that two copies of this package share. */
const KIND = Symbol.for("@prokura/sdk/error");

interface Details {
  code: string;
  statusCode?: number | undefined;
  requestId?: string | undefined;
  docsUrl?: string | undefined;
  meta?: Record<string, unknown> | undefined;
  cause?: unknown;
}

/** A call failed, or a client could not be made. */
export class ProkuraError extends Error {
  /** What is wrong, for programs; the server's word for it where the server said so. */
  declare readonly code: string;
  /** The HTTP status, if there was an answer. */
  declare readonly statusCode?: number;
  /** The id of the request in the server's log, if there was an answer. */
  declare readonly requestId?: string;
  readonly #docsUrl: string | undefined;
  readonly #meta: Record<string, unknown>;

  static {
    this.prototype.name = "ProkuraError";
  }

  constructor(message: string, details: Details) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.#docsUrl = details.docsUrl;
    this.#meta = details.meta ?? {};
    assignDefined(this, {
      code: details.code,
      statusCode: details.statusCode,
      requestId: details.requestId,
    });
  }

  /** Where the server describes its API, if there was an answer. */
  get docsUrl(): string | undefined {
    return this.#docsUrl;
  }

  /** What else the server said about it. */
  get meta(): Record<string, unknown> {
    return this.#meta;
  }

  /** For logs: the message as well, which `JSON.stringify` leaves out of other errors. */
  toJSON(): Record<string, unknown> {
    const { name, message } = this;
    return { name, message, ...(this as object) };
  }
}

/** The client cannot be made from what its constructor was given. Its code is `invalid_config`. */
export class ConfigError extends ProkuraError {
  static {
    this.prototype.name = "ConfigError";
    brand(this.prototype, "config");
  }

  constructor(message: string) {
    super(message, { code: "invalid_config" });
  }
}

/** There was no answer, or it broke off. Its code is `network_error`, or that of {@link TimeoutError}. */
export class NetworkError extends ProkuraError {
  static {
    this.prototype.name = "NetworkError";
    brand(this.prototype, "network");
  }

  constructor(message: string, details: { code?: string; cause?: unknown } = {}) {
    super(message, { code: "network_error", ...details });
  }
}

/** There was no answer in time. Its code is `timeout`. */
export class TimeoutError extends NetworkError {
  static {
    this.prototype.name = "TimeoutError";
  }

  constructor(message: string) {
    super(message, { code: "timeout" });
  }
}

/** One member or parameter that the server refused. */
export interface FieldError {
  /** Its name. */
  field: string;
  /** What is wrong with it. */
  message: string;
}

interface HttpDetails extends Details {
  statusCode: number;
  retryAfter?: number | undefined;
  validationErrors?: FieldError[] | undefined;
  missingScopes?: string[] | undefined;
}

/**
 * The server answered, and it was no success. The code is the server's own (`service_account_not_found`), or
 * `unexpected_response` where what answered does not speak as this API does.
 */
export class HttpError extends ProkuraError {
  declare readonly statusCode: number;
  /** How long the server asks to wait, in seconds (`Retry-After`). */
  declare readonly retryAfter?: number;
  /** With 400: each member or parameter that is wrong. */
  declare readonly validationErrors?: FieldError[];
  /** With 403: the scopes that the caller lacks. */
  declare readonly missingScopes?: string[];

  static {
    this.prototype.name = "HttpError";
    brand(this.prototype, "http");
  }

  constructor(message: string, details: HttpDetails) {
    super(message, details);
    assignDefined(this, {
      retryAfter: details.retryAfter,
      validationErrors: details.validationErrors,
      missingScopes: details.missingScopes,
    });
  }
}

/** An OAuth endpoint refused (RFC 6749 §5.2): to issue a token, to introspect or to revoke one. */
export class OAuthError extends HttpError {
  /** The same as `code`: `invalid_client`, `invalid_scope`, `invalid_target` and so on. */
  declare readonly errorCode: string;
  /** What is wrong, for developers. */
  declare readonly errorDescription?: string;

  static {
    this.prototype.name = "OAuthError";
    brand(this.prototype, "oauth");
  }

  constructor(message: string, details: HttpDetails & { errorDescription?: string | undefined }) {
    super(message, details);
    assignDefined(this, { errorCode: details.code, errorDescription: details.errorDescription });
  }
}

// The predicates ask for the brand, not for the class: a program may well load this package twice.

/** Whether it is an error of this SDK. */
export function isProkuraError(error: unknown): error is ProkuraError {
  return kindOf(error) !== undefined;
}

/** Whether there was no answer: unreachable, cut off, or too late. Nobody knows whether the call had an effect. */
export function isNetworkError(error: unknown): error is NetworkError {
  return kindOf(error) === "network";
}

/** Whether there was no answer in time. */
export function isTimeoutError(error: unknown): error is TimeoutError {
  return isNetworkError(error) && error.code === "timeout";
}

/** Whether the server answered, and it was no success. */
export function isHttpError(error: unknown): error is HttpError {
  return kindOf(error) === "http" || isOAuthError(error);
}

/** Whether an OAuth endpoint refused. */
export function isOAuthError(error: unknown): error is OAuthError {
  return kindOf(error) === "oauth";
}

/** 400 with {@link HttpError.validationErrors}: something that was sent is wrong. */
export function isValidationError(error: unknown): error is HttpError & { validationErrors: FieldError[] } {
  return isHttpError(error) && error.validationErrors !== undefined;
}

/** 401: the credentials are wrong, or the account is disabled or gone. */
export function isUnauthorizedError(error: unknown): error is HttpError {
  return hasStatus(error, 401);
}

/** 403: a scope is lacking; see {@link HttpError.missingScopes}. */
export function isForbiddenError(error: unknown): error is HttpError {
  return hasStatus(error, 403);
}

/** 404: there is no such thing in this organization. */
export function isNotFoundError(error: unknown): error is HttpError {
  return hasStatus(error, 404);
}

/** 409: it cannot be done as things are; the code says why. */
export function isConflictError(error: unknown): error is HttpError {
  return hasStatus(error, 409);
}

/** 412: the account is no longer the one that `ifMatch` names; get it again. */
export function isPreconditionFailedError(error: unknown): error is HttpError {
  return hasStatus(error, 412);
}

/** 429: too many requests; see {@link HttpError.retryAfter}. */
export function isRateLimitedError(error: unknown): error is HttpError {
  return hasStatus(error, 429);
}

/** 503: the server cannot answer just now; see {@link HttpError.retryAfter}. */
export function isUnavailableError(error: unknown): error is HttpError {
  return hasStatus(error, 503);
}

/** The names that code written for Kontext knows. */
export { ProkuraError as KontextError, isProkuraError as isKontextError };

function hasStatus(error: unknown, statusCode: number): error is HttpError {
  return isHttpError(error) && error.statusCode === statusCode;
}

function kindOf(error: unknown): unknown {
  return typeof error === "object" && error !== null ? (error as { [KIND]?: unknown })[KIND] : undefined;
}

function brand(prototype: ProkuraError, kind: "config" | "network" | "http" | "oauth"): void {
  Object.defineProperty(prototype, KIND, { value: kind });
}

/** What is not there is not printed either. */
function assignDefined(target: object, members: Record<string, unknown>): void {
  Object.assign(target, Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)));
}
