import { open } from "node:fs/promises";
import { ManagementClient } from "@prokura/sdk/management";

const client = new ManagementClient({
  baseUrl: process.env.PROKURA_URL ?? "http://127.0.0.1:8080",
  credentials: {
    clientId: process.env.PROKURA_CLIENT_ID ?? "",
    clientSecret: process.env.PROKURA_CLIENT_SECRET ?? "",
  },
});

for await (const { at, actor, action, target } of client.auditEvents.listAll({ action: "create_service_account" })) {
  console.log(at, actor, action, target);
}

// The whole audit trail, for `prokura audit verify --file audit.ndjson`.
const file = await open("audit.ndjson", "w");
for await (const event of client.auditEvents.export()) {
  await file.write(`${JSON.stringify(event)}\n`);
}
await file.close();
