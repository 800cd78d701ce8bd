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

// Members left out stay as they are. Null clears.
const id = serviceAccount.id;
await client.serviceAccounts.update(id, { labels: { environment: "production", ticket: null } });

// Make the change only if the account has not changed since it was read.
const { serviceAccount: read, etag } = await client.serviceAccounts.get(id);
try {
  await client.serviceAccounts.update(id, { description: `Deploys to ${read.labels.environment}` }, { ifMatch: etag });
} catch (error) {
  if (!isPreconditionFailedError(error)) throw error;
  console.log("the account has changed: read it again");
}

// Disable the platform team's production accounts that have got no token for 90 days.
const unused = { owner: "platform-team", labels: { environment: "production" }, unusedForDays: 90 };
for await (const account of client.serviceAccounts.listAll(unused)) {
  await client.serviceAccounts.update(account.id, { disabled: true });
}

await client.serviceAccounts.revoke(id);
