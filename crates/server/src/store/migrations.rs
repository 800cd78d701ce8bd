//! The migrations of the schema. A version has one file for each database, under the same number.

use super::database::{DatabaseError, MigrateError};

/// One migration: its version, and its SQL for each database.
pub(super) struct Migration {
    pub(super) version: i64,
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

macro_rules! migration {
    ($version:literal, $file:literal) => {
        Migration {
            version: $version,
            sqlite: include_str!(concat!("migrations/sqlite/", $file)),
            postgres: include_str!(concat!("migrations/postgres/", $file)),
        }
    };
}

/// All migrations, in order. Append only.
pub(super) const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_foundation.sql"),
    migration!(2, "0002_account_control.sql"),
    migration!(3, "0003_idempotent_requests.sql"),
    migration!(4, "0004_secrets_by_account.sql"),
    migration!(5, "0005_keys.sql"),
    migration!(6, "0006_grantable_scopes.sql"),
    migration!(7, "0007_disabled_organizations.sql"),
    migration!(8, "0008_resources.sql"),
];

/// The newest version, which this build knows.
pub(super) const LATEST: i64 = MIGRATIONS.len() as i64;

/// The name of [`CREATE_TABLE`]'s table.
pub(super) const TABLE: &str = "prokura_schema";
/// The table of applied migrations. Both databases read it alike.
pub(super) const CREATE_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS prokura_schema (version BIGINT NOT NULL PRIMARY KEY)";
/// Reads the version. NULL: no migration was applied.
pub(super) const READ_VERSION: &str = "SELECT max(version) FROM prokura_schema";
/// Records a migration as applied.
pub(super) const RECORD: &str = "INSERT INTO prokura_schema (version) VALUES ($1)";

/// The schema version of a database with these tables; `read_version` reads [`TABLE`]. `None`: the database is empty.
pub(super) fn judge(
    mut tables: Vec<String>,
    read_version: impl FnOnce() -> Result<Option<i64>, DatabaseError>,
) -> Result<Option<i64>, MigrateError> {
    if tables.iter().any(|table| table == TABLE) {
        let found = read_version()?.unwrap_or(0);
        return if found > LATEST {
            Err(MigrateError::Newer {
                found,
                known: LATEST,
            })
        } else {
            Ok(Some(found))
        };
    }
    match tables.pop() {
        Some(foreign) => Err(MigrateError::Foreign(foreign)),
        None => Ok(None),
    }
}
