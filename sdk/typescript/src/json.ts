/**
 * JSON from the server.
 *
 * @module
 */

/** Parses a JSON object. Anything else gives an empty object. */
export function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
