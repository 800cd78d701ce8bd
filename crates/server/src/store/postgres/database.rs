//! [`Postgres`]: the driver.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::timeout;

use super::{
    address::{Address, InvalidPostgresUrl},
    attempt::{OPERATION_TIMEOUT, settle},
    migrate::{migrate, schema_version},
    readers::Readers,
    tls,
    write::apply,
};
use crate::store::database::{
    Database, DatabaseError, MigrateError, Row, Statement, Step, Written,
};
use crate::store::sqlite::CommandWrites;

/// How long a request waits for a free connection, and for a new connection to be ready once it is open.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a migration may take, including the wait for other nodes.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(300);

/// A PostgreSQL database.
pub struct Postgres {
    readers: Readers,
    /// The connections for writes and migrations.
    pool: Pool,
}

impl Postgres {
    /// The database at `url`, over at most `pool_size` connections, but at least one for reads and one for writes. Each is opened
    /// when it is first needed. The URL means what it means to libpq, including `sslmode` and `sslrootcert`; files that it names are
    /// read now.
    pub fn connect(url: &str, pool_size: usize) -> Result<Self, InvalidPostgresUrl> {
        let Address {
            config,
            verification,
            reaching_takes,
        } = Address::parse(url)?;
        let connector = tls::connector(verification)?;
        let opening_takes = reaching_takes.saturating_add(CONNECTION_TIMEOUT);
        let readers = Readers::new(config.clone(), connector.clone(), opening_takes, pool_size);
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let pool = Pool::builder(Manager::from_config(config, connector, recycling))
            .max_size(pool_size.saturating_sub(readers.count()).max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECTION_TIMEOUT))
            .create_timeout(Some(opening_takes))
            .recycle_timeout(Some(CONNECTION_TIMEOUT))
            .build()
            .expect("a pool with a runtime can have timeouts");
        Ok(Self { readers, pool })
    }
}

impl Database for Postgres {
    fn read(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<Row>, DatabaseError>> {
        self.readers.read(statement).boxed()
    }

    fn look_up(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<Row>, DatabaseError>> {
        self.readers.look_up(statement).boxed()
    }

    fn write(&self, steps: Vec<Step>) -> BoxFuture<'_, Result<Written, DatabaseError>> {
        let pool = self.pool.clone();
        let write = async move {
            // After a restart of the database every pooled connection may be dead: one attempt for each, and two to spare.
            let mut attempts_left = pool.status().max_size + 2;
            loop {
                let mut client = pool.get().await?;
                let outcome = timeout(OPERATION_TIMEOUT, apply(&mut client, &steps)).await;
                let outcome = outcome.unwrap_or_else(|elapsed| Err(elapsed.into()));
                if outcome.is_err() {
                    drop(Object::take(client));
                }
                if let Some(applied) = settle(outcome, &mut attempts_left)? {
                    return Ok(applied);
                }
            }
        };
        // A task of its own: a write that has begun runs to its end, even if the caller has gone.
        async move { tokio::spawn(write).await.map_err(DatabaseError::new)? }.boxed()
    }

    fn command_writes(&self) -> Option<&CommandWrites> {
        None
    }

    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>> {
        async move {
            let mut client = self.pool.get().await.map_err(DatabaseError::from)?;
            let migrated = timeout(MIGRATION_TIMEOUT, migrate(&mut client)).await;
            // Statements that were prepared before may not fit the new schema.
            drop(Object::take(client));
            migrated.map_err(DatabaseError::from)?
        }
        .boxed()
    }

    fn schema_version(&self) -> BoxFuture<'_, Result<Option<i64>, MigrateError>> {
        async move {
            let client = self.pool.get().await.map_err(DatabaseError::from)?;
            timeout(OPERATION_TIMEOUT, schema_version(&**client))
                .await
                .map_err(DatabaseError::from)?
        }
        .boxed()
    }
}
