/**
 * A request, and an answer with its whole body.
 *
 * @module
 */

/** A request that can be sent several times. */
export interface Outgoing {
  method: string;
  url: string;
  headers: Headers;
  body?: string | undefined;
  /** Whether a second request does no harm if the server has already processed the first one. */
  isRepeatable: boolean;
  /** Whether errors have the form of RFC 6749 §5.2. */
  isOAuth?: boolean;
}

/** An answer and its whole body. */
export interface Answer {
  response: Response;
  text: string;
}

/** Reads the whole body. */
export async function readAnswer(response: Response): Promise<Answer> {
  return { response, text: await response.text() };
}

/** The URL as error messages show it: without the query. */
export function shownUrl({ url }: Outgoing): string {
  return url.split("?", 1)[0] ?? url;
}
