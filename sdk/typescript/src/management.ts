/**
 * Manages Prokura's service accounts.
 *
 * @module
 */

export type { Credentials } from "./access-token.js";
export type { ChangeOptions, IdempotentOptions } from "./api.js";
export type * from "./audit-events.js";
export { ManagementClient, type ManagementClientConfig } from "./client.js";
export * from "./errors.js";
export type * from "./service-accounts.js";
export type { CallOptions, Clock } from "./time.js";
export type * from "./tokens.js";

/** The names that code written for Kontext knows. */
export {
  ManagementClient as KontextManagementClient,
  type ManagementClientConfig as KontextManagementClientConfig,
} from "./client.js";
