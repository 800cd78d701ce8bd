// The errors of calls and of the configuration.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as errors from "@prokura/sdk/errors";
import * as root from "@prokura/sdk";
import * as kontext from "@kontext-dev/js-sdk/errors";
import { ManagementClient } from "@prokura/sdk/management";
import { startProkura } from "./harness/prokura.js";
import { breakOff, NOWHERE, reply, startStandIn } from "./harness/stand-in.js";

const server = await startProkura();

async function failure(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => assert.fail("it must fail"),
    (error: unknown) => error,
  );
}

const predicates = Object.entries(errors).filter(([name]) => /^is[A-Z]/.test(name)) as [
  string,
  (e: unknown) => boolean,
][];

/** The predicates that hold of an error, those of another copy of the package too. */
function said(error: unknown): string[] {
  const holding = predicates.filter(([, holds]) => holds(error)).map(([name]) => name);
  const other = kontext as unknown as Record<string, (e: unknown) => boolean>;
  assert.deepEqual(
    predicates.filter(([name]) => other[name]?.(error)).map(([name]) => name),
    holding,
  );
  return holding.filter((name) => !["isProkuraError", "isKontextError"].includes(name)).sort();
}

test("an API error has everything that the server sent", async () => {
  const error = await failure(server.client().serviceAccounts.get("019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47"));
  assert.ok(error instanceof errors.HttpError && error instanceof errors.ProkuraError && error instanceof Error);
  assert.equal(error.name, "HttpError");
  assert.equal(error.message, "the service account does not exist");
  assert.equal(error.statusCode, 404);
  assert.equal(error.code, "service_account_not_found");
  assert.ok(error.requestId);
  await server.logged(error.requestId);
  assert.equal(error.docsUrl, `${server.url}/openapi.json`);
  assert.deepEqual(error.meta, {});
  assert.deepEqual(said(error), ["isHttpError", "isNotFoundError"]);
  assert.deepEqual(JSON.parse(JSON.stringify(error)), {
    name: "HttpError",
    message: "the service account does not exist",
    code: "service_account_not_found",
    statusCode: 404,
    requestId: error.requestId,
  });
});

test("an OAuth error has the members of RFC 6749", async () => {
  const credentials = { clientId: server.bootstrap.clientId, clientSecret: "wrong" };
  const error = await failure(server.client({ credentials }).serviceAccounts.list());
  assert.ok(error instanceof errors.OAuthError && error instanceof errors.HttpError);
  assert.equal(error.code, "invalid_client");
  assert.equal(error.errorCode, "invalid_client");
  assert.equal(error.errorDescription, "client authentication failed");
  assert.ok(error.requestId);
  assert.deepEqual(said(error), ["isHttpError", "isOAuthError", "isUnauthorizedError"]);
});

test("each status has its predicate", async (t) => {
  for (const [status, predicate] of [
    [403, "isForbiddenError"],
    [404, "isNotFoundError"],
    [409, "isConflictError"],
    [412, "isPreconditionFailedError"],
    [429, "isRateLimitedError"],
    [503, "isUnavailableError"],
  ] as const) {
    const standIn = await startStandIn(t, reply(status, { message: "no" }));
    const error = await failure(standIn.client({ maxRetries: 0 }).serviceAccounts.list());
    assert.deepEqual(said(error), ["isHttpError", predicate].sort());
  }
  const standIn = await startStandIn(
    t,
    reply(400, { message: "no", errors: [{ field: "name", message: "is empty" }] }),
  );
  const error = await failure(standIn.client().serviceAccounts.list());
  assert.deepEqual(said(error), ["isHttpError", "isValidationError"]);
  for (const other of [undefined, null, "error", new Error("other"), { statusCode: 404 }]) {
    assert.deepEqual(
      predicates.filter(([, holds]) => holds(other)),
      [],
    );
  }
});

test("unknown members of an error response are kept", async (t) => {
  const body = {
    message: "slow down",
    code: "rate_limited",
    statusCode: 429,
    requestId: "r-1",
    limit: { perMinute: 60 },
  };
  const standIn = await startStandIn(t, reply(429, body, { "retry-after": "60" }));
  const error = await failure(standIn.client().serviceAccounts.list());
  assert.ok(errors.isRateLimitedError(error));
  assert.equal(error.retryAfter, 60);
  assert.equal(error.requestId, "r-1");
  assert.deepEqual(error.meta, { limit: { perMinute: 60 } });
});

test("a response of something else is an unexpected response", async (t) => {
  for (const [status, body] of [
    [502, "<h1>Bad Gateway</h1>"],
    [404, ""],
    [400, { error: "not ours" }],
    [200, "<h1>Welcome to the hotel</h1>"],
    [200, { welcome: "to the hotel" }],
    [200, [] as object],
  ] as const) {
    const standIn = await startStandIn(t, reply(status, body, { "x-request-id": "proxy-7" }));
    const error = await failure(standIn.client({ maxRetries: 0 }).serviceAccounts.list({ limit: 7 }));
    assert.ok(errors.isHttpError(error));
    assert.equal(error.code, "unexpected_response");
    assert.equal(error.statusCode, status);
    assert.equal(error.requestId, "proxy-7");
    const prefix = `unexpected response from ${standIn.url}/api/v1/service-accounts (${status}): the body is not`;
    assert.ok(error.message.startsWith(prefix), error.message);
    assert.match(error.hint ?? "", /proxy/);
    assert.doesNotMatch(error.message, /hotel|Gateway/);
  }
});

test("a redirect is not followed, and the error names its target", async (t) => {
  const elsewhere = await startStandIn(t);
  const standIn = await startStandIn(
    t,
    ({ path }) => ({ status: 307, headers: { location: elsewhere.url + path } }),
    ({ path }) => ({ status: 308, body: " ", headers: { location: elsewhere.url + path } }),
  );
  const error = await failure(standIn.client().serviceAccounts.list());
  assert.deepEqual(said(error), ["isHttpError"]);
  assert.ok(errors.isHttpError(error));
  const { url } = standIn;
  assert.equal(
    error.message,
    `unexpected response from ${url}/oauth2/token (308): a redirect to ${elsewhere.url}/oauth2/token`,
  );
  assert.equal(error.hint, "if the redirect leads to the server, use that URL");
  const tokenUrl = `${server.url}/oauth2/token`;
  const { clientId, clientSecret } = server.bootstrap;
  const client = standIn.client({
    tokenUrl,
    credentials: { clientId, clientSecret },
    audience: `${server.url}/api/v1`,
  });
  assert.deepEqual(said(await failure(client.serviceAccounts.list())), ["isHttpError"]);
  assert.deepEqual([...elsewhere.requests, ...elsewhere.tokenRequests], []);
});

test("a network error has its cause", async (t) => {
  const standIn = await startStandIn(t, breakOff);
  const error = await failure(standIn.client({ maxRetries: 0 }).serviceAccounts.list());
  assert.ok(error instanceof errors.NetworkError);
  assert.equal(error.code, "network_error");
  assert.equal(error.statusCode, undefined);
  assert.ok(error.cause instanceof Error);
  const lost = `lost the connection to ${standIn.url}/api/v1/service-accounts: `;
  assert.ok(error.message.startsWith(lost), error.message);
  assert.deepEqual(said(error), ["isNetworkError"]);

  const credentials = { clientId: "sa_1", clientSecret: "s" };
  const nobody = new ManagementClient({ baseUrl: NOWHERE, credentials, maxRetries: 0 });
  assert.match(
    String(await failure(nobody.serviceAccounts.list())),
    /: cannot connect to http:\/\/127\.0\.0\.1:2\/oauth2\/token: ./,
  );
});

test("an invalid configuration is an error", () => {
  const good = { baseUrl: "https://prokura.example.com", credentials: { clientId: "sa_1", clientSecret: "hunter2" } };
  new ManagementClient(good);
  for (const baseUrl of [
    "http://localhost:8080",
    "http://prokura.localhost",
    "http://127.1.2.3",
    "http://[::1]:8080",
    "https://prokura.example.com/path/",
  ]) {
    new ManagementClient({ ...good, baseUrl });
  }
  new ManagementClient({ ...good, baseUrl: "http://prokura.internal", allowPlainHttp: true });
  for (const [config, message, hint] of [
    [{ baseUrl: undefined }, /^baseUrl is not a URL$/, /absolute/],
    [{ baseUrl: "prokura.example.com" }, /^baseUrl is not a URL$/, /absolute/],
    [{ baseUrl: "ftp://prokura.example.com" }, /^baseUrl must begin with https/],
    [{ baseUrl: "http://prokura.internal" }, /^baseUrl must begin with https/, /allowPlainHttp/],
    [{ baseUrl: "http://127.0.0.1.example.com" }, /^baseUrl must begin with https/, /allowPlainHttp/],
    [{ tokenUrl: "http://auth.internal" }, /^tokenUrl must begin with https/, /allowPlainHttp/],
    [{ baseUrl: "https://user:hunter2@prokura.example.com" }, /^baseUrl must not contain credentials/, /client ID/],
    [{ baseUrl: "https://prokura.example.com/#x" }, /^baseUrl must not have a fragment/],
    [{ baseUrl: "https://prokura.example.com/?x" }, /^baseUrl must not have a query/],
    [{ credentials: undefined }, /^credentials must have a clientId and a clientSecret/, /rotateSecret/],
    [{ credentials: { clientId: "sa_1" } }, /^credentials must have/, /rotateSecret/],
    [{ credentials: { clientId: "", clientSecret: "hunter2" } }, /^credentials must have/, /rotateSecret/],
    [{ timeoutMs: 0 }, /^timeoutMs must be a positive number/],
    [{ attemptTimeoutMs: NaN }, /^attemptTimeoutMs must be a positive number/],
  ] as [object, RegExp, RegExp?][]) {
    assert.throws(
      () => new ManagementClient({ ...good, ...config } as never),
      (error: unknown) => {
        assert.ok(error instanceof errors.ConfigError && errors.isProkuraError(error));
        assert.equal(error.code, "invalid_config");
        assert.match(error.message, message);
        assert.match(error.hint ?? "", hint ?? /^$/);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      },
    );
  }
});

test("the names of Kontext's SDK are aliases", () => {
  assert.equal(root.KontextManagementClient, ManagementClient);
  assert.equal(errors.KontextError, errors.ProkuraError);
  assert.equal(errors.isKontextError, errors.isProkuraError);
  for (const name of Object.keys(errors)) {
    assert.ok(name in root, name);
  }
});
