//! The store itself: a database, and the memory of it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{
    database::{Database, DatabaseError, MigrateError, Row, Statement, Step, Written},
    error::{StoreError, during},
    memory::Memory,
    migrations,
};

/// The store, on either database.
pub struct Store {
    database: Arc<dyn Database>,
    pub(super) memory: Arc<Memory>,
}

impl Store {
    /// The store on `database`, whose schema must be there: see [`Store::migrate`].
    pub fn new(database: impl Database) -> Self {
        Self {
            database: Arc::new(database),
            memory: Arc::new(Memory::new()),
        }
    }

    /// Starts to cache what is read, if this process alone changes the database. Call it before anything is counted.
    pub async fn enable_cache(&mut self) -> Result<(), StoreError> {
        if self.database.command_writes().is_some() {
            let revoked_tokens = self.revoked_tokens().await?;
            self.memory = Arc::new(Memory::caching(revoked_tokens));
        }
        Ok(())
    }

    /// Serves the next command of another process that writes to the database, and returns when it has ended. While it writes, the
    /// cache is not used. `reload` runs after its commit, before the command learns that this process follows it; if it returns
    /// `false`, the command does not learn that. Cancelled,
    /// it leaves the cache suspended. On PostgreSQL it never returns.
    pub async fn serve_command<'r>(&self, reload: impl Fn() -> BoxFuture<'r, bool> + Sync) {
        let Some(command_writes) = self.database.command_writes() else {
            return std::future::pending().await;
        };
        let command = command_writes.next().await;
        self.memory.suspend();
        command.serve(reload).await;
        // The cache holds usage that is not written; there is space for that of some 200,000 accounts outside it.
        let _ = self.flush_all_usage().await;
        self.memory.resume();
    }

    /// Brings the schema to the version that this build knows.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        self.database.migrate().await
    }

    /// The version of the schema, and the newest version that this build knows. Changes nothing.
    pub async fn schema_version(&self) -> Result<(Option<i64>, i64), MigrateError> {
        let found = self.database.schema_version().await?;
        Ok((found, migrations::LATEST))
    }

    pub(super) async fn read(
        &self,
        operation: &'static str,
        statement: Statement,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self.database.read(statement).await;
        rows.map_err(during(operation))
    }

    /// As [`Store::read`], for a statement that is a [look-up](Database::look_up).
    pub(super) async fn look_up(
        &self,
        operation: &'static str,
        statement: Statement,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self.database.look_up(statement).await;
        rows.map_err(during(operation))
    }

    /// Decodes the first row of a look-up. `None`: it has no rows.
    pub(super) async fn read_one<T>(
        &self,
        operation: &'static str,
        statement: Statement,
        decode: impl FnOnce(&mut Row) -> Result<T, DatabaseError>,
    ) -> Result<Option<T>, StoreError> {
        let rows = self.look_up(operation, statement).await?;
        let first = rows.into_iter().next();
        let decoded = first.map(|mut row| decode(&mut row)).transpose();
        decoded.map_err(during(operation))
    }

    pub(super) async fn write(
        &self,
        operation: &'static str,
        steps: Vec<Step>,
    ) -> Result<Written, StoreError> {
        let written = self.database.write(steps).await;
        written.map_err(during(operation))
    }

    /// Writes, and calls `update` with the cache after the commit and before the acknowledgement. Both happen in a task of their
    /// own, so that the cache is updated even if the caller has gone.
    pub(super) async fn write_and_update(
        &self,
        operation: &'static str,
        steps: Vec<Step>,
        update: impl FnOnce(&Memory, &Result<Written, DatabaseError>) + Send + 'static,
    ) -> Result<Written, StoreError> {
        if !self.memory.is_caching() {
            return self.write(operation, steps).await;
        }
        let database = Arc::clone(&self.database);
        let memory = Arc::clone(&self.memory);
        let written = tokio::spawn(async move {
            let written = database.write(steps).await;
            update(&memory, &written);
            written
        });
        written
            .await
            .unwrap_or_else(|stopped| Err(DatabaseError::new(stopped)))
            .map_err(during(operation))
    }
}
