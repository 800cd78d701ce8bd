//! What is remembered: one set of SQL, two databases.
//!
//! Each method of [`Store`] is one atomic step in words of the domain; no transaction leaves this folder. The methods of
//! management take the organization first, or a [`Target`] that has it, and whatever is not that organization's is absent for
//! them. Absence is `None` or `false`; [`StoreError`] only says that storage failed, and while doing what. The store invents
//! nothing: ids, instants and digests are handed in.

mod account_columns;
mod audit_events;
mod database;
mod idempotent_requests;
mod installation;
mod memory;
mod migrations;
mod pending_usage;
mod postgres;
mod secrets;
mod service_accounts;
mod signing_keys;
mod sqlite;
mod target;
mod tokens;
mod usage;

use std::sync::Arc;

use self::{memory::Memory, pending_usage::PendingUsage};
pub use database::{Database, DatabaseError, MigrateError, Row, Statement, Step, Value, Written};
pub use idempotent_requests::{IdempotentRequest, Once};
pub use installation::Organization;
pub use postgres::{InvalidPostgresUrl, Postgres};
pub use secrets::{Rotation, SecretsChange};
pub use service_accounts::{Credentials, Found, ListPosition};
pub use sqlite::{OpenSqliteError, Sqlite, SqliteAccess};
pub use target::Target;
pub use tokens::TokenState;

/// The store, whichever database is under it.
pub struct Store {
    database: Arc<dyn Database>,
    memory: Option<Arc<Memory>>,
    usage: Arc<PendingUsage>,
}

/// Storage failed. What was to be read or written is unknown; whoever asked must refuse.
#[derive(Debug, thiserror::Error)]
#[error("storage failed while {doing}")]
pub struct StoreError {
    doing: &'static str,
    #[source]
    source: DatabaseError,
}

impl Store {
    /// The store on `database`. The schema is taken to be there: [`Store::migrate`] sees to it.
    pub fn new(database: impl Database) -> Self {
        Self {
            database: Arc::new(database),
            memory: None,
            usage: Arc::new(PendingUsage::new()),
        }
    }

    /// Begins to remember what is read, if nobody else changes the database. Before, and otherwise, everything is read
    /// each time.
    pub async fn remember(&mut self) -> Result<(), StoreError> {
        if self.database.is_solely_owned() {
            let revoked = self.revoked_tokens().await?;
            self.memory = Some(Arc::new(Memory::new(revoked, Arc::clone(&self.usage))));
        }
        Ok(())
    }

    /// Brings the schema to the version that this build knows.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        self.database.migrate().await
    }

    /// The version of the schema, and the newest this build knows. Changes nothing.
    pub async fn schema_version(&self) -> Result<(Option<i64>, i64), MigrateError> {
        let found = self.database.schema_version().await?;
        Ok((found, migrations::LATEST))
    }

    async fn read(
        &self,
        doing: &'static str,
        statement: Statement,
    ) -> Result<Vec<Row>, StoreError> {
        self.database.read(statement).await.map_err(during(doing))
    }

    /// As [`Store::read`], of a statement that [looks something up](Database::look_up).
    async fn look_up(
        &self,
        doing: &'static str,
        statement: Statement,
    ) -> Result<Vec<Row>, StoreError> {
        self.database
            .look_up(statement)
            .await
            .map_err(during(doing))
    }

    /// What `read` makes of the first row that is looked up. `None`: there is none.
    async fn read_one<T>(
        &self,
        doing: &'static str,
        statement: Statement,
        read: impl FnOnce(&mut Row) -> Result<T, DatabaseError>,
    ) -> Result<Option<T>, StoreError> {
        let rows = self.look_up(doing, statement).await?;
        rows.into_iter()
            .next()
            .map(|mut row| read(&mut row))
            .transpose()
            .map_err(during(doing))
    }

    async fn write(&self, doing: &'static str, steps: Vec<Step>) -> Result<Written, StoreError> {
        self.database.write(steps).await.map_err(during(doing))
    }

    /// Writes, and brings the memory up to date with `then` before the write is acknowledged: in a task of its own, so
    /// that it happens even if whoever asked has hung up.
    async fn write_and_then(
        &self,
        doing: &'static str,
        steps: Vec<Step>,
        then: impl FnOnce(&Memory, &Result<Written, DatabaseError>) + Send + 'static,
    ) -> Result<Written, StoreError> {
        let Some(memory) = self.memory.clone() else {
            return self.write(doing, steps).await;
        };
        let database = Arc::clone(&self.database);
        tokio::spawn(async move {
            let outcome = database.write(steps).await;
            then(&memory, &outcome);
            outcome
        })
        .await
        .unwrap_or_else(|stopped| Err(DatabaseError::new(stopped)))
        .map_err(during(doing))
    }
}

fn during(doing: &'static str) -> impl FnOnce(DatabaseError) -> StoreError {
    move |source| StoreError { doing, source }
}
