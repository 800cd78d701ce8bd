import { ManagementClient } from "@prokura/sdk/management";

const client = new ManagementClient({
  baseUrl: process.env.PROKURA_URL ?? "http://127.0.0.1:8080",
  credentials: {
    clientId: process.env.PROKURA_CLIENT_ID ?? "",
    clientSecret: process.env.PROKURA_CLIENT_SECRET ?? "",
  },
});

const { serviceAccount, credentials } = await client.serviceAccounts.create({
  name: "Nightly backup",
  description: "Runs on the backup host",
});
// The secret is shown only once. Store it in your secret store.
console.log(credentials.clientId, credentials.clientSecret.length);

for await (const account of client.serviceAccounts.listAll()) {
  console.log(account.name, account.lastUsedAt ?? "never used");
}

await client.serviceAccounts.revoke(serviceAccount.id);
