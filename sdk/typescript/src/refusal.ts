/**
 * Errors for answers that are not a success, or do not have the documented form.
 *
 * @module
 */

import { type FieldError, HttpError, OAuthError } from "./errors.js";
import { parseObject } from "./json.js";
import { type Answer, type Outgoing, shownUrl } from "./request.js";
import { retryAfter } from "./retry.js";

/** The error for an answer. */
export function refusal(request: Outgoing, { response, text }: Answer, docsUrl: string): HttpError {
  const body = parseObject(text);
  const details = {
    statusCode: response.status,
    requestId: string(body["requestId"]) ?? response.headers.get("x-request-id") ?? undefined,
    retryAfter: retryAfter(response.headers),
    docsUrl,
  };
  // Some authorization servers refuse with status 200.
  if (request.isOAuth && typeof body["error"] === "string") {
    const { error: code, error_description: description, ...meta } = body;
    const errorDescription = string(description);
    return new OAuthError(errorDescription ?? code, { ...details, code, errorDescription, meta });
  }
  if (!request.isOAuth && !response.ok && typeof body["message"] === "string") {
    const { message, code, statusCode: _, requestId: __, errors, missingScopes, ...meta } = body;
    return new HttpError(message, {
      ...details,
      code: string(code) ?? "unexpected_response",
      validationErrors: Array.isArray(errors) ? (errors as FieldError[]) : undefined,
      missingScopes: Array.isArray(missingScopes) ? (missingScopes as string[]) : undefined,
      meta,
    });
  }
  const isRedirect = response.status >= 300 && response.status < 400;
  const target = isRedirect ? response.headers.get("location") : null;
  return new HttpError(
    `unexpected response from ${shownUrl(request)} (${response.status}): ` +
      (target === null ? wrongBody(response, text) : `a redirect to ${target}`),
    {
      ...details,
      code: "unexpected_response",
      hint:
        target === null
          ? "check the server's URL and any proxy in front of the server"
          : "if the redirect leads to the server, use that URL",
    },
  );
}

/** Describes the body without quoting it: it may contain a secret. */
function wrongBody(response: Response, text: string): string {
  const bytes = new TextEncoder().encode(text).length;
  const type = response.headers.get("content-type") ?? "unknown type";
  return `the body is not the expected JSON (${bytes} bytes of ${type})`;
}

function string(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
