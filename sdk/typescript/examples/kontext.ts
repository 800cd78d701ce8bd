import { KontextManagementClient } from "@kontext-dev/js-sdk/management";

const client = new KontextManagementClient({
  baseUrl: process.env.KONTEXT_URL ?? "https://kontext.example.com",
  credentials: {
    clientId: process.env.KONTEXT_CLIENT_ID ?? "",
    clientSecret: process.env.KONTEXT_CLIENT_SECRET ?? "",
  },
});

// Create an account. Its secret is shown only once.
const { serviceAccount, credentials } = await client.serviceAccounts.create({
  name: "CI Pipeline",
  description: "Used by GitHub Actions to manage integrations",
});
console.log("created", serviceAccount.id, credentials.clientId, credentials.clientSecret.length);

const { items } = await client.serviceAccounts.list();
console.log("listed", items.map((account) => account.name).join(", "));

const found = await client.serviceAccounts.get(serviceAccount.id);
console.log("got", found.serviceAccount.clientId, found.serviceAccount.description);

const rotated = await client.serviceAccounts.rotateSecret(serviceAccount.id);
console.log("rotated", rotated.credentials.clientSecret !== credentials.clientSecret);

await client.serviceAccounts.revoke(serviceAccount.id);
const left = await client.serviceAccounts.list();
console.log(
  "revoked",
  left.items.every((account) => account.id !== serviceAccount.id),
);

await client.refreshToken();
client.clearToken();
