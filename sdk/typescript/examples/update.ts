import { isPreconditionFailedError, ManagementClient } from "@prokura/sdk/management";

const client = new ManagementClient({
  baseUrl: process.env.PROKURA_URL ?? "http://127.0.0.1:8080",
  credentials: {
    clientId: process.env.PROKURA_CLIENT_ID ?? "",
    clientSecret: process.env.PROKURA_CLIENT_SECRET ?? "",
  },
});
const { serviceAccount } = await client.serviceAccounts.create({
  name: "Deployer",
  owner: "platform-team",
  labels: { environment: "staging", ticket: "none" },
  tokenLifetimeSeconds: 600,
});

// What is left out stays as it is; null takes away.
const id = serviceAccount.id;
await client.serviceAccounts.update(id, { labels: { environment: "production", ticket: null } });

// Only if nobody has changed it since it was read.
const { serviceAccount: read, etag } = await client.serviceAccounts.get(id);
try {
  await client.serviceAccounts.update(id, { description: `Deploys to ${read.labels.environment}` }, { ifMatch: etag });
} catch (error) {
  if (!isPreconditionFailedError(error)) throw error;
  console.log("somebody was faster: read it again");
}

// Whose accounts of the platform team got no token for a quarter of a year?
const unused = { owner: "platform-team", labels: { environment: "production" }, unusedForDays: 90 };
for await (const account of client.serviceAccounts.listAll(unused)) {
  await client.serviceAccounts.update(account.id, { disabled: true });
}

await client.serviceAccounts.revoke(id);
