//! Migrating the schema of a SQLite database.

use rusqlite::Connection;

use crate::store::{database::MigrateError, migrations};

/// Applies the migrations that the database lacks, in one transaction. Dropping the connection rolls back what was not committed.
pub(super) fn migrate(connection: &Connection) -> Result<(), MigrateError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let found = schema_version(connection)?.unwrap_or(0);
    connection.execute_batch(migrations::CREATE_TABLE)?;
    for migration in migrations::MIGRATIONS
        .iter()
        .filter(|migration| migration.version > found)
    {
        connection.execute_batch(migration.sqlite)?;
        connection.execute(migrations::RECORD, [migration.version])?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}

/// The version of the schema. `None`: the database is empty.
pub(super) fn schema_version(connection: &Connection) -> Result<Option<i64>, MigrateError> {
    let mut list =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")?;
    let tables = list
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    migrations::judge(tables, || {
        Ok(connection.query_row(migrations::READ_VERSION, [], |row| row.get(0))?)
    })
}
