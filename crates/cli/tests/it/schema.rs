//! The schema of the database: both databases have the same, and the committed description of it is current.

use std::{fmt::Write as _, path::Path};

use prokura_server::store::{Postgres, Sqlite, SqliteAccess, Store};

use crate::harness::postgres;

const COMMITTED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../server/src/store/schema.txt"
);

#[tokio::test]
async fn both_databases_have_the_committed_schema() {
    let sqlite = of_sqlite().await;
    if std::env::var_os("PROKURA_UPDATE").is_some() {
        std::fs::write(COMMITTED, &sqlite).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    let hint = "`scripts/check --update` rewrites crates/server/src/store/schema.txt";
    assert!(sqlite == committed, "SQLite differs; {hint}:\n{sqlite}");
    let postgres = of_postgres().await;
    assert!(
        postgres == committed,
        "PostgreSQL differs; {hint}:\n{postgres}"
    );
}

/// A column: table, name, type, whether it is required, and its position in the primary key.
type Column = (String, String, String, bool, i64);

fn write(columns: Vec<Column>, references: Vec<String>) -> String {
    let mut text = String::new();
    let mut last = String::new();
    for (table, name, kind, required, key) in columns {
        if table != last {
            writeln!(text, "{table}").unwrap();
            last = table;
        }
        let required = if required { " required" } else { "" };
        let key = if key > 0 {
            format!(" key {key}")
        } else {
            String::new()
        };
        writeln!(text, "    {name} {kind}{required}{key}").unwrap();
    }
    for reference in references {
        writeln!(text, "{reference}").unwrap();
    }
    text
}

/// The fourth migration moves the secrets to another table layout.
#[tokio::test]
async fn an_older_sqlite_database_keeps_its_secrets() {
    const OLDER: &str = concat!(
        include_str!("../../../server/src/store/migrations/sqlite/0001_foundation.sql"),
        include_str!("../../../server/src/store/migrations/sqlite/0002_account_control.sql"),
        include_str!("../../../server/src/store/migrations/sqlite/0003_idempotent_requests.sql"),
        "CREATE TABLE prokura_schema (version BIGINT NOT NULL PRIMARY KEY);
         INSERT INTO prokura_schema VALUES (1), (2), (3);
         INSERT INTO organizations VALUES (x'01', 'Example', 0, 0, x'00');
         INSERT INTO service_accounts (id, organization_id, name, scopes, token_epoch, created_at, updated_at)
         VALUES (x'02', x'01', 'CI', '', 0, 0, 0), (x'03', x'01', 'Backup', '', 0, 0, 0);
         INSERT INTO secrets VALUES
         (x'0a', x'03', x'aa', 'abcd', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
         (x'0b', x'02', x'bb', 'bcde', 2, x'03', 3, 4, x'0c', 5, 6, 7),
         (x'0c', x'02', x'cc', 'cdef', 8, x'03', 9, NULL, NULL, NULL, NULL, NULL);"
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("prokura.db");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch(OLDER).unwrap();
    let secrets = || {
        connection
            .prepare(
                "SELECT id, service_account_id, digest, hint, created_at, created_by, expires_at, retires_at, \
                 retired_by, revoked_at, first_used_at, last_used_at FROM secrets ORDER BY id",
            )
            .unwrap()
            .query_map([], |row| (0..12).map(|column| row.get(column)).collect())
            .unwrap()
            .collect::<Result<Vec<Vec<rusqlite::types::Value>>, _>>()
            .unwrap()
    };
    let before = secrets();
    assert_eq!(before.len(), 3);
    let store = Store::new(Sqlite::open(&file, SqliteAccess::Server).unwrap());
    store.migrate().await.unwrap();
    assert_eq!(secrets(), before);
    // Deleting an account still deletes its secrets.
    connection
        .execute_batch("PRAGMA foreign_keys = ON; DELETE FROM service_accounts WHERE id = x'02'")
        .unwrap();
    assert_eq!(secrets(), before[..1]);
}

async fn of_sqlite() -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("prokura.db");
    let store = Store::new(Sqlite::open(&file, SqliteAccess::Server).unwrap());
    store.migrate().await.unwrap();
    drop(store);
    sqlite_schema(&file)
}

fn sqlite_schema(file: &Path) -> String {
    let connection = rusqlite::Connection::open(file).unwrap();
    let columns = connection
        .prepare(
            "SELECT t.name, c.name, lower(c.type), c.\"notnull\", c.pk FROM sqlite_master t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' ORDER BY t.name, c.cid",
        )
        .unwrap()
        .query_map([], |row| {
            let kind: String = row.get(2)?;
            let kind = match &*kind {
                "blob" => "bytes",
                "integer" | "bigint" => "integer",
                other => other,
            };
            Ok((
                row.get(0)?,
                row.get(1)?,
                kind.to_owned(),
                row.get(3)?,
                row.get(4)?,
            ))
        })
        .unwrap()
        .collect::<Result<Vec<Column>, _>>()
        .unwrap();
    let references = connection
        .prepare(
            "SELECT t.name || '.' || f.\"from\" || ' -> ' || f.\"table\" || '.' || f.\"to\" || ', on delete ' \
             || lower(f.on_delete) FROM sqlite_master t, pragma_foreign_key_list(t.name) f \
             WHERE t.type = 'table' ORDER BY 1",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<Vec<String>, _>>()
        .unwrap();
    write(columns, references)
}

async fn of_postgres() -> String {
    let url = postgres::fresh_database();
    Store::new(Postgres::connect(&url, 1).unwrap())
        .migrate()
        .await
        .unwrap();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let columns = client
        .query(
            "SELECT c.table_name::text, c.column_name::text, c.data_type::text, c.is_nullable = 'NO', \
             coalesce((SELECT k.ordinal_position FROM information_schema.key_column_usage k \
              JOIN information_schema.table_constraints t USING (constraint_schema, constraint_name) \
              WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_name = c.table_name \
                AND k.column_name = c.column_name), 0)::bigint \
             FROM information_schema.columns c WHERE c.table_schema = current_schema() \
             ORDER BY c.table_name, c.ordinal_position",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| {
            let kind: String = row.get(2);
            let kind = match &*kind {
                "bytea" => "bytes",
                "bigint" => "integer",
                other => other,
            };
            (
                row.get(0),
                row.get(1),
                kind.to_owned(),
                row.get(3),
                row.get(4),
            )
        })
        .collect();
    let references = client
        .query(
            "SELECT r.conrelid::regclass || '.' || a.attname || ' -> ' || r.confrelid::regclass || '.' || b.attname \
             || ', on delete ' || CASE r.confdeltype WHEN 'c' THEN 'cascade' ELSE 'no action' END \
             FROM pg_constraint r \
             JOIN pg_attribute a ON a.attrelid = r.conrelid AND a.attnum = r.conkey[1] \
             JOIN pg_attribute b ON b.attrelid = r.confrelid AND b.attnum = r.confkey[1] \
             WHERE r.contype = 'f' ORDER BY 1",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    write(columns, references)
}
