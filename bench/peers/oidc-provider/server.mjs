// oidc-provider as a peer: client credentials, opaque and JWT tokens, introspection, kept in SQLite.
//
//   node server.mjs DATABASE CLIENT_ID CLIENT_SECRET

import { generateKeyPairSync } from "node:crypto";

import Database from "better-sqlite3";
import Provider from "oidc-provider";

const [path, clientId, clientSecret] = process.argv.slice(2);

const database = new Database(path);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = NORMAL");
database.exec("CREATE TABLE IF NOT EXISTS stored (id TEXT PRIMARY KEY, payload TEXT NOT NULL, expires_at INTEGER) WITHOUT ROWID");
const upsert = database.prepare("INSERT OR REPLACE INTO stored VALUES (?, ?, ?)");
const find = database.prepare("SELECT payload FROM stored WHERE id = ? AND (expires_at IS NULL OR expires_at > ?)");
const destroy = database.prepare("DELETE FROM stored WHERE id = ?");
const now = () => Math.floor(Date.now() / 1000);

// What client credentials need of an adapter; what belongs to grants of people is never asked for.
class Stored {
   constructor(kind) {
      this.kind = kind;
   }
   async upsert(id, payload, lifetimeSeconds) {
      const expiresAt = lifetimeSeconds ? now() + lifetimeSeconds : null;
      upsert.run(`${this.kind}:${id}`, JSON.stringify(payload), expiresAt);
   }
   async find(id) {
      const row = find.get(`${this.kind}:${id}`, now());
      return row && JSON.parse(row.payload);
   }
   async destroy(id) {
      destroy.run(`${this.kind}:${id}`);
   }
}

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const provider = new Provider("http://127.0.0.1", {
   adapter: Stored,
   clients: [
      {
         client_id: clientId,
         client_secret: clientSecret,
         grant_types: ["client_credentials"],
         redirect_uris: [],
         response_types: [],
         id_token_signed_response_alg: "ES256",
      },
   ],
   jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
   routes: { token: "/oauth2/token", introspection: "/oauth2/introspect" },
   scopes: ["es256:use"],
   ttl: { ClientCredentials: 3600 },
   features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: {
         enabled: true,
         defaultResource: async () => undefined,
         getResourceServerInfo: async () => ({
            scope: "es256:use",
            accessTokenFormat: "jwt",
            jwt: { sign: { alg: "ES256" } },
         }),
      },
   },
});
const server = provider.listen(0, "127.0.0.1", () => {
   console.log(`oidc-provider is serving on http://127.0.0.1:${server.address().port}`);
});
