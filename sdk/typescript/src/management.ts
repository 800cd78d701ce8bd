/**
 * The client of the management API, and its types.
 *
 * @module
 */

export type { ChangeOptions, IdempotentOptions } from "./api.js";
export type * from "./audit-events.js";
export { ManagementClient, type ManagementClientConfig } from "./client.js";
export type { Clock } from "./clock.js";
export type { ClientCredentials, CredentialsSource } from "./credentials.js";
export type { CallOptions } from "./deadline.js";
export * from "./errors.js";
export type * from "./service-accounts.js";
export type * from "./tokens.js";

/** The names that Kontext's SDK uses. */
export {
  ManagementClient as KontextManagementClient,
  type ManagementClientConfig as KontextManagementClientConfig,
} from "./client.js";
