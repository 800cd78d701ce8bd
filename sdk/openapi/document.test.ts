// The API document: a generic client with types generated from it works with the real server, and a linter finds no problem.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createConfig, lint } from "@redocly/openapi-core";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const { URL: baseUrl = "", CLIENT_ID: client_id = "", CLIENT_SECRET: client_secret = "" } = process.env;

test("a generated client creates, changes and deletes an account", async () => {
  const api = createClient<paths>({ baseUrl });
  const token = await api.POST("/oauth2/token", {
    body: { grant_type: "client_credentials", client_id, client_secret },
    bodySerializer: (form) => new URLSearchParams(form as Record<string, string>).toString(),
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });
  assert.ok(token.data);
  const headers = { Authorization: `Bearer ${token.data.access_token}` };

  const created = await api.POST("/api/v1/service-accounts", { headers, body: { name: "Generated" } });
  assert.ok(created.data);
  const { id, lastUsedAt }: components["schemas"]["ServiceAccount"] = created.data.serviceAccount;
  assert.equal(lastUsedAt, null);
  const params = { path: { id } };
  const one = "/api/v1/service-accounts/{id}";
  const updated = await api.PATCH(one, { headers, params, body: { owner: "Platform", description: null } });
  assert.equal(updated.data?.serviceAccount.owner, "Platform");
  const rotated = await api.POST(`${one}/rotate-secret`, { headers, params, body: { gracePeriodSeconds: 60 } });
  assert.notEqual(rotated.data?.credentials.clientSecret, created.data.credentials.clientSecret);
  const secrets = await api.GET(`${one}/secrets`, { headers, params });
  assert.deepEqual(
    secrets.data?.items.map(({ state }) => state),
    ["active", "retiring"],
  );
  const list = { query: { owner: "Platform", label: ["env:prod"] } };
  const listed = await api.GET("/api/v1/service-accounts", { headers, params: list });
  assert.deepEqual(listed.data?.items, []);
  const deleted = await api.DELETE(one, { headers, params });
  assert.equal(deleted.response.status, 204);
  const gone = await api.GET(one, { headers, params });
  const error: components["schemas"]["ApiError"] | undefined = gone.error;
  assert.equal(error?.code, "service_account_not_found");
});

test("a linter for API documents finds no problem", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const problems = await lint({ ref: "../../openapi.json", config });
  assert.deepEqual(
    problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    [],
  );
});
