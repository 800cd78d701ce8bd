// The SDK has every operation, parameter and member of the server's API document.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AddSecretRequest,
  type AddSecretResponse,
  type AuditEvent,
  type AuditEventFilter,
  type CreateServiceAccountRequest,
  type DailyUsage,
  type FieldError,
  type IntrospectionResponse,
  ManagementClient,
  type PaginationParams,
  type RotateSecretRequest,
  type ServiceAccount,
  type ServiceAccountCredentialsResponse,
  type ServiceAccountFilter,
  type ServiceAccountSecret,
  type UpdateServiceAccountRequest,
  type UsageParams,
} from "@prokura/sdk";
import { startProkura } from "./harness/prokura.js";

const server = await startProkura();
const { auditEvents, serviceAccounts, tokens, ...client } = server.client();
const { refreshToken } = ManagementClient.prototype;
assert.deepEqual(client, {});

const OPERATIONS: Record<string, ((...args: never[]) => unknown) | "none"> = {
  "POST /oauth2/token": refreshToken,
  "POST /oauth2/introspect": tokens.introspect,
  "POST /oauth2/revoke": tokens.revoke,
  "GET /api/v1/service-accounts": serviceAccounts.list,
  "POST /api/v1/service-accounts": serviceAccounts.create,
  "GET /api/v1/service-accounts/{id}": serviceAccounts.get,
  "PATCH /api/v1/service-accounts/{id}": serviceAccounts.update,
  "DELETE /api/v1/service-accounts/{id}": serviceAccounts.revoke,
  "POST /api/v1/service-accounts/{id}/rotate-secret": serviceAccounts.rotateSecret,
  "POST /api/v1/service-accounts/{id}/cancel-rotation": serviceAccounts.cancelRotation,
  "POST /api/v1/service-accounts/{id}/revoke-tokens": serviceAccounts.revokeTokens,
  "GET /api/v1/service-accounts/{id}/secrets": serviceAccounts.listSecrets,
  "POST /api/v1/service-accounts/{id}/secrets": serviceAccounts.addSecret,
  "DELETE /api/v1/service-accounts/{id}/secrets/{secretId}": serviceAccounts.deleteSecret,
  "GET /api/v1/service-accounts/{id}/usage": serviceAccounts.getUsage,
  "GET /api/v1/audit-events": auditEvents.list,
  "GET /api/v1/audit-events/export": auditEvents.export,
  // Health checks are for operators.
  "GET /healthz": "none",
  "GET /readyz": "none",
};

const operations = Object.entries(server.openapi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, ...operation })),
);

test("every operation of the server has a method", () => {
  assert.deepEqual(operations.map(({ name }) => name).sort(), Object.keys(OPERATIONS).sort());
});

/** Every member of a type. The compiler checks that the list is complete. */
function members<T>(names: Record<keyof T, true>): string[] {
  return Object.keys(names);
}

const SCHEMAS: Record<string, string[]> = {
  ServiceAccount: members<ServiceAccount>({
    id: true,
    clientId: true,
    name: true,
    description: true,
    scopes: true,
    grantableScopes: true,
    owner: true,
    labels: true,
    disabled: true,
    tokenLifetimeSeconds: true,
    expiresAt: true,
    createdAt: true,
    updatedAt: true,
    createdBy: true,
    lastUsedAt: true,
  }),
  UpdateServiceAccount: members<UpdateServiceAccountRequest>({
    name: true,
    description: true,
    scopes: true,
    grantableScopes: true,
    disabled: true,
    owner: true,
    labels: true,
    tokenLifetimeSeconds: true,
    expiresAt: true,
  }),
  CreateServiceAccount: members<CreateServiceAccountRequest>({
    name: true,
    description: true,
    scopes: true,
    grantableScopes: true,
    owner: true,
    labels: true,
    tokenLifetimeSeconds: true,
    expiresAt: true,
  }),
  RotateSecret: members<RotateSecretRequest>({ gracePeriodSeconds: true, expiresInSeconds: true, revokeTokens: true }),
  AddSecret: members<AddSecretRequest>({ expiresInSeconds: true }),
  ServiceAccountSecret: members<ServiceAccountSecret>({
    id: true,
    hint: true,
    createdAt: true,
    createdBy: true,
    expiresAt: true,
    lastUsedAt: true,
    state: true,
    safeToRevoke: true,
  }),
  ServiceAccountCredentials: members<Omit<ServiceAccountCredentialsResponse, "etag">>({
    serviceAccount: true,
    credentials: true,
  }),
  AddedSecret: members<AddSecretResponse>({ secret: true, credentials: true }),
  AuditEvent: members<AuditEvent>({
    organizationId: true,
    sequence: true,
    at: true,
    actor: true,
    action: true,
    target: true,
    requestId: true,
    address: true,
    changes: true,
    previousHash: true,
    hash: true,
  }),
  DailyUsage: members<DailyUsage>({ date: true, tokensIssued: true, tokensRefused: true }),
  FieldError: members<FieldError>({ field: true, message: true }),
  IntrospectionResponse: members<IntrospectionResponse>({
    active: true,
    scope: true,
    client_id: true,
    token_type: true,
    exp: true,
    iat: true,
    sub: true,
    aud: true,
    iss: true,
    jti: true,
    organization_id: true,
  }),
};

for (const [schema, known] of Object.entries(SCHEMAS)) {
  test(`${schema} has the members of the API document`, () => {
    const described = Object.keys(server.openapi.components.schemas[schema]?.properties ?? {});
    assert.deepEqual(described.sort(), known.sort());
  });
}

const PARAMETERS: Record<string, string[]> = {
  "GET /api/v1/service-accounts": members<Omit<ServiceAccountFilter, "labels"> & PaginationParams & { label: string }>({
    limit: true,
    cursor: true,
    name: true,
    label: true,
    owner: true,
    disabled: true,
    unusedForDays: true,
    secretExpiresWithinDays: true,
  }),
  "GET /api/v1/service-accounts/{id}/usage": members<UsageParams>({ days: true }),
  "GET /api/v1/audit-events": members<AuditEventFilter & PaginationParams>({
    limit: true,
    cursor: true,
    serviceAccountId: true,
    action: true,
    actor: true,
    since: true,
    until: true,
  }),
};

for (const { name, parameters = [] } of operations) {
  test(`${name} has the parameters of the API document`, () => {
    const described = parameters.filter((parameter) => parameter.in === "query").map((parameter) => parameter.name);
    assert.deepEqual(described.sort(), (PARAMETERS[name] ?? []).sort());
  });
}
