//! A database of schema version 4, made by the last release whose keys were all derived from the master key.
//!
//! `fixtures/schema_4.sql` has its rows, and `schema_4.json` what its clients hold. The migrations make the tables.

use std::{path::Path, sync::Arc};

use prokura_server::keys::MasterKey;
use serde_json::Value;

use super::{
    Credentials, Database, Options, Prokura, postgres,
    server::{Place, sqlite_file},
};

macro_rules! migrations {
    ($database:literal) => {
        concat!(
            migrations!(@ $database, "0001_foundation.sql"),
            migrations!(@ $database, "0002_account_control.sql"),
            migrations!(@ $database, "0003_idempotent_requests.sql"),
            migrations!(@ $database, "0004_secrets_by_account.sql"),
            "CREATE TABLE prokura_schema (version BIGINT NOT NULL PRIMARY KEY);
             INSERT INTO prokura_schema VALUES (1), (2), (3), (4);\n"
        )
    };
    (@ $database:literal, $file:literal) => {
        include_str!(concat!("../../../../server/src/store/migrations/", $database, "/", $file))
    };
}

/// The older database.
pub struct OlderDatabase {
    rows: &'static str,
    /// What the clients of the server held, and what it answered.
    pub known: Value,
}

impl OlderDatabase {
    pub fn read() -> Self {
        Self {
            rows: include_str!("../fixtures/schema_4.sql"),
            known: serde_json::from_str(include_str!("../fixtures/schema_4.json")).unwrap(),
        }
    }

    /// A text of what is known.
    pub fn text(&self, name: &str) -> &str {
        self.known[name].as_str().unwrap()
    }

    /// The credentials of the account `name`.
    pub fn credentials(&self, name: &str) -> Credentials {
        let member = |member: &str| self.known[name][member].as_str().unwrap().to_owned();
        Credentials {
            id: member("id"),
            client_id: member("clientId"),
            client_secret: member("clientSecret"),
        }
    }

    /// Makes the database in a SQLite file.
    pub fn write_to(&self, file: &Path) {
        let connection = rusqlite::Connection::open(file).unwrap();
        connection.execute_batch(migrations!("sqlite")).unwrap();
        connection.execute_batch(self.rows).unwrap();
    }

    /// Starts a server on it, with these options. Its clock shows when the database was made.
    pub async fn serve(&self, database: Database, options: Options) -> Prokura {
        let place = self.place(database).await;
        let master_key = MasterKey::parse(self.text("masterKey")).unwrap();
        let now = self.known["now"].as_i64().unwrap();
        let root = self.credentials("administrator");
        Prokura::at(place, master_key, self.text("issuer"), now, options, root).await
    }

    async fn place(&self, database: Database) -> Place {
        match database {
            Database::Sqlite => {
                let directory = tempfile::tempdir().unwrap();
                self.write_to(&sqlite_file(&directory));
                Place::Sqlite(Arc::new(directory))
            }
            Database::Postgres => Place::Postgres(self.on_postgres().await),
        }
    }

    /// Makes the database on PostgreSQL: its URL.
    pub async fn on_postgres(&self) -> String {
        let url = postgres::fresh_database();
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client.batch_execute(migrations!("postgres")).await.unwrap();
        // PostgreSQL writes bytes as '\x01', SQLite as x'01'. No text of the rows has an `x'`.
        let rows = self.rows.replace("x'", "'\\x");
        client.batch_execute(&rows).await.unwrap();
        url
    }
}
