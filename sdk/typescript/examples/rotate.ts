import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { ManagementClient } from "@prokura/sdk/management";

const baseUrl = process.env.PROKURA_URL ?? "http://127.0.0.1:8080";
const client = new ManagementClient({
  baseUrl,
  credentials: {
    clientId: process.env.PROKURA_CLIENT_ID ?? "",
    clientSecret: process.env.PROKURA_CLIENT_SECRET ?? "",
  },
});
const { serviceAccount } = await client.serviceAccounts.create({ name: "Report job" });
const { id } = serviceAccount;
const secretFile = `${await mkdtemp(`${tmpdir()}/prokura-`)}/report-job.json`;

// 1. Create a new secret. The old one stays valid for a day.
const { credentials } = await client.serviceAccounts.rotateSecret(id, { gracePeriodSeconds: 86_400 });

// 2. Roll it out. A client calls the credentials function for each token request, so it need not be restarted.
await writeFile(secretFile, JSON.stringify(credentials), { mode: 0o600 });
const job = new ManagementClient({
  baseUrl,
  credentials: async () => JSON.parse(await readFile(secretFile, "utf8")),
});
await job.serviceAccounts.get(id);

// 3. Watch the old secret. It stops working after the grace period; delete it earlier if it is no longer used.
const { items: secrets } = await client.serviceAccounts.listSecrets(id);
for (const secret of secrets) {
  console.log(secret.hint, secret.state, secret.lastUsedAt ?? "never used");
  if (secret.state === "retiring" && secret.safeToRevoke) {
    await client.serviceAccounts.deleteSecret(id, secret.id);
  }
}

// If the rollout fails, cancel the rotation: the new secret stops working, and the old one stays valid.
await client.serviceAccounts.cancelRotation(id);

await client.serviceAccounts.revoke(id);
