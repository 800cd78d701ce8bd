//! Migrating the schema of a PostgreSQL database.

use deadpool_postgres::Client;
use tokio_postgres::GenericClient;

use super::write::begin;
use crate::store::{database::MigrateError, migrations};

const MIGRATION_SETTINGS: &str =
    "SET LOCAL synchronous_commit = on; SET LOCAL statement_timeout = 0";
/// One node migrates at a time. The number is arbitrary ("prokura" and a zero byte) and must never change.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(8102661186915557632)";
const LIST_TABLES: &str = "SELECT table_name::text FROM information_schema.tables \
                           WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1";

/// Applies the migrations that the database lacks, in one transaction.
pub(super) async fn migrate(client: &mut Client) -> Result<(), MigrateError> {
    let transaction = begin(client).await?;
    transaction.batch_execute(MIGRATION_SETTINGS).await?;
    transaction.batch_execute(MIGRATION_LOCK).await?;
    let found = schema_version(&*transaction).await?.unwrap_or(0);
    transaction.batch_execute(migrations::CREATE_TABLE).await?;
    for migration in migrations::MIGRATIONS
        .iter()
        .filter(|migration| migration.version > found)
    {
        transaction.batch_execute(migration.postgres).await?;
        transaction
            .execute(migrations::RECORD, &[&migration.version])
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The version of the schema. `None`: the database is empty.
pub(super) async fn schema_version(
    client: &impl GenericClient,
) -> Result<Option<i64>, MigrateError> {
    let tables = client.query(LIST_TABLES, &[]).await?;
    let tables: Vec<String> = tables.iter().map(|row| row.get(0)).collect();
    let mut version = None;
    if tables.iter().any(|table| table == migrations::TABLE) {
        let row = client.query_one(migrations::READ_VERSION, &[]).await?;
        version = row.get(0);
    }
    migrations::judge(tables, || Ok(version))
}
