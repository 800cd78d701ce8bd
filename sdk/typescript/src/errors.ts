/**
 * Every error that a call can reject with, except two: the reason of the caller's own `AbortSignal`, and a `TypeError` for an
 * argument that cannot be sent.
 *
 * @module
 */

/** Marks errors of this SDK, also across copies of the package. */
const KIND = Symbol.for("@prokura/sdk/error");

interface Details {
  code: string;
  statusCode?: number | undefined;
  requestId?: string | undefined;
  hint?: string | undefined;
  docsUrl?: string | undefined;
  meta?: Record<string, unknown> | undefined;
  cause?: unknown;
}

/** The base class of all errors of this SDK. */
export class ProkuraError extends Error {
  /** The error code, for programs: the server's own code if the server sent one. */
  declare readonly code: string;
  /** The HTTP status, if there was a response. */
  declare readonly statusCode?: number;
  /** The ID of the request in the server's log, if there was a response. */
  declare readonly requestId?: string;
  /** What to do about the error, if the SDK knows. */
  declare readonly hint?: string;
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
      hint: details.hint,
    });
  }

  /** The URL of the server's API document, if there was a response. */
  get docsUrl(): string | undefined {
    return this.#docsUrl;
  }

  /** The other members of the error response, which this SDK does not know. */
  get meta(): Record<string, unknown> {
    return this.#meta;
  }

  /** For logs. Includes the message, which `JSON.stringify` leaves out of other errors. */
  toJSON(): Record<string, unknown> {
    const { name, message } = this;
    return { name, message, ...(this as object) };
  }
}

/** The client's configuration is invalid. The code is `invalid_config`. */
export class ConfigError extends ProkuraError {
  static {
    this.prototype.name = "ConfigError";
    brand(this.prototype, "config");
  }

  constructor(message: string, hint?: string) {
    super(message, { code: "invalid_config", hint });
  }
}

/** The server could not be reached, or the connection broke. The code is `network_error`, or `timeout` ({@link TimeoutError}). */
export class NetworkError extends ProkuraError {
  /** Whether the server may have received the request. If not, the call had no effect. */
  declare readonly mayHaveArrived: boolean;

  static {
    this.prototype.name = "NetworkError";
    brand(this.prototype, "network");
  }

  constructor(message: string, details: { code?: string; cause?: unknown; mayHaveArrived?: boolean } = {}) {
    super(message, { code: "network_error", ...details });
    assignDefined(this, { mayHaveArrived: details.mayHaveArrived ?? true });
  }
}

/** The server did not answer in time. The request may have arrived. The code is `timeout`. */
export class TimeoutError extends NetworkError {
  static {
    this.prototype.name = "TimeoutError";
  }

  constructor(message: string) {
    super(message, { code: "timeout" });
  }
}

/** One member or parameter that the server rejected. */
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
 * The server answered with an error. The code is the server's own, such as `service_account_not_found`, or
 * `unexpected_response` if the response does not have the documented form. A proxy may have sent such a response.
 */
export class HttpError extends ProkuraError {
  declare readonly statusCode: number;
  /** How long the server asks to wait before another attempt, in seconds (`Retry-After`). */
  declare readonly retryAfter?: number;
  /** With status 400: each member or parameter that is invalid. */
  declare readonly validationErrors?: FieldError[];
  /** With status 403: the scopes that the caller lacks. */
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

/** An OAuth endpoint answered with an error (RFC 6749 §5.2): the token endpoint, introspection or revocation. */
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

// The predicates check the brand and not the class, because a program may load this package twice.

/** Whether this is an error of this SDK. */
export function isProkuraError(error: unknown): error is ProkuraError {
  return kindOf(error) !== undefined;
}

/** Whether there was no complete response: the server was unreachable, the connection broke, or the time was up. */
export function isNetworkError(error: unknown): error is NetworkError {
  return kindOf(error) === "network";
}

/** Whether the server did not answer in time. */
export function isTimeoutError(error: unknown): error is TimeoutError {
  return isNetworkError(error) && error.code === "timeout";
}

/** Whether the server answered with an error. */
export function isHttpError(error: unknown): error is HttpError {
  return kindOf(error) === "http" || isOAuthError(error);
}

/** Whether an OAuth endpoint answered with an error. */
export function isOAuthError(error: unknown): error is OAuthError {
  return kindOf(error) === "oauth";
}

/** Status 400 with {@link HttpError.validationErrors}: a member or parameter is invalid. */
export function isValidationError(error: unknown): error is HttpError & { validationErrors: FieldError[] } {
  return isHttpError(error) && error.validationErrors !== undefined;
}

/** Status 401: the credentials are wrong, or the account is disabled, expired or deleted. */
export function isUnauthorizedError(error: unknown): error is HttpError {
  return hasStatus(error, 401);
}

/** Status 403: the caller lacks a scope. See {@link HttpError.missingScopes}. */
export function isForbiddenError(error: unknown): error is HttpError {
  return hasStatus(error, 403);
}

/** Status 404: the organization has no such object. */
export function isNotFoundError(error: unknown): error is HttpError {
  return hasStatus(error, 404);
}

/** Status 409: the call conflicts with the current state. The code says how. */
export function isConflictError(error: unknown): error is HttpError {
  return hasStatus(error, 409);
}

/** Status 412: the account has changed since the version that `ifMatch` names. Get it again. */
export function isPreconditionFailedError(error: unknown): error is HttpError {
  return hasStatus(error, 412);
}

/** Status 429: too many requests. See {@link HttpError.retryAfter}. */
export function isRateLimitedError(error: unknown): error is HttpError {
  return hasStatus(error, 429);
}

/** Status 503: the server is temporarily unavailable. See {@link HttpError.retryAfter}. */
export function isUnavailableError(error: unknown): error is HttpError {
  return hasStatus(error, 503);
}

/** The names that Kontext's SDK uses. */
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

/** Assigns the members that are defined. Undefined ones would be printed. */
function assignDefined(target: object, members: Record<string, unknown>): void {
  Object.assign(target, Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)));
}
