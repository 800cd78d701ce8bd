//! PostgreSQL: shared connections for reads, pooled ones for writes, prepared statements.
//!
//! Nothing is kept in a session but prepared statements, so a transaction pooler may stand between. A connection on which
//! anything went wrong is closed, not used again: whatever was open on it, transaction or answer, ends with it.

mod address;
mod look_ups;
mod readers;
mod tls;
mod values;

use std::time::Duration;

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
    Transaction,
};
use futures_util::{
    FutureExt as _, TryStreamExt as _,
    future::{BoxFuture, join, maybe_done},
    poll,
};
use tokio::time::{error::Elapsed, timeout};
use tokio_postgres::{GenericClient, IsolationLevel, error::SqlState, types::ToSql};

pub use self::address::InvalidPostgresUrl;
use self::{address::Address, readers::Readers};
use super::{
    audit_events::{append, lock_head},
    database::{Database, DatabaseError, MigrateError, Row, Statement, Step, Value, Written},
    migrations,
};

/// How long a request waits for a connection to be free, or to be ready once it is open.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one read or write may take.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long bringing the schema up to date may take, waiting for other nodes included.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(300);

/// What holds for a write, whatever the server's defaults: what is acknowledged is durable, and a node that hangs or
/// vanishes in the middle does not keep its locks for long. The times are below [`OPERATION_TIMEOUT`].
const WRITE_SETTINGS: &str = "SET LOCAL synchronous_commit = on; SET LOCAL statement_timeout = '8s'; \
                              SET LOCAL idle_in_transaction_session_timeout = '8s'";
const MIGRATION_SETTINGS: &str =
    "SET LOCAL synchronous_commit = on; SET LOCAL statement_timeout = 0";
/// One node at a time. The number is arbitrary ("prokura" and a zero byte) and must never change.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(8102661186915557632)";
const LIST_TABLES: &str = "SELECT table_name::text FROM information_schema.tables \
                           WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1";

/// A PostgreSQL database.
pub struct Postgres {
    readers: Readers,
    /// For writes, and for the schema.
    pool: Pool,
}

impl Postgres {
    /// The database at `url`, over at most `pool_size` connections (but one to read and one to write), each opened when it
    /// is first needed. The URL means what it means to libpq, `sslmode` and `sslrootcert` included; files it names are read
    /// now.
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
            let mut attempts = attempts(&pool);
            loop {
                let mut client = pool.get().await.map_err(unreachable)?;
                let outcome = timeout(OPERATION_TIMEOUT, apply(&mut client, &steps)).await;
                let outcome = outcome.unwrap_or_else(|elapsed| Err(late(elapsed).into()));
                if outcome.is_err() {
                    drop(Object::take(client));
                }
                if let Some(applied) = settle(outcome, &mut attempts)? {
                    return Ok(applied);
                }
            }
        };
        // A task of its own: a write once begun runs to its end, whether or not somebody still waits for it.
        async move { tokio::spawn(write).await.map_err(DatabaseError::new)? }.boxed()
    }

    fn is_solely_owned(&self) -> bool {
        false
    }

    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>> {
        async move {
            let mut client = self.pool.get().await.map_err(unreachable)?;
            let migrated = timeout(MIGRATION_TIMEOUT, migrate(&mut client)).await;
            // Whatever came of it, the statements prepared before may not fit the schema after it.
            drop(Object::take(client));
            migrated.map_err(late)?
        }
        .boxed()
    }

    fn schema_version(&self) -> BoxFuture<'_, Result<Option<i64>, MigrateError>> {
        async move {
            let client = self.pool.get().await.map_err(unreachable)?;
            timeout(OPERATION_TIMEOUT, schema_version(&**client))
                .await
                .map_err(late)?
        }
        .boxed()
    }
}

/// Why an attempt came to nothing.
enum Failure {
    /// Nothing has happened: the connection was gone before, or another transaction was in the way.
    Again(DatabaseError),
    /// As far as is known.
    Final(DatabaseError),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        const AGAIN: [SqlState; 7] = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            // The server was stopped, or crashed and restarts.
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            // The primary has become a standby; a new connection finds the new primary.
            SqlState::READ_ONLY_SQL_TRANSACTION,
            // A statement prepared before a newer node changed the schema, or before a pooler changed the server.
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::INVALID_SQL_STATEMENT_NAME,
        ];
        let again = error.is_closed() || error.code().is_some_and(|code| AGAIN.contains(code));
        if again {
            Self::Again(without_values(error))
        } else {
            Self::Final(without_values(error))
        }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Final(error)
    }
}

/// After a restart of the database every pooled connection may be dead and none has noticed: one attempt for each, and two
/// to spare.
fn attempts(pool: &Pool) -> usize {
    pool.status().max_size + 2
}

/// The answer; `None` to try again on another connection, where that can do no harm.
fn settle<T>(
    outcome: Result<T, Failure>,
    attempts: &mut usize,
) -> Result<Option<T>, DatabaseError> {
    *attempts -= 1;
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(Failure::Again(_)) if *attempts > 0 => Ok(None),
        Err(Failure::Again(error) | Failure::Final(error)) => Err(error),
    }
}

async fn apply(client: &mut Client, steps: &[Step]) -> Result<Written, Failure> {
    let waits_for_none =
        |step: &Step, next: &Step| matches!((step, next), (Step::Run(_), Step::Run(_)));
    let mut stages = steps.chunk_by(waits_for_none);
    let Some(first) = stages.next() else {
        return Ok(Written::Wholly);
    };
    // The driver's own transaction: dropped at any point, in the middle of BEGIN even, it rolls back.
    let transaction = begin(client).await?;
    let (set, is_met) = join(
        transaction.batch_execute(WRITE_SETTINGS),
        run(&transaction, first),
    )
    .await;
    set?;
    let mut is_met = is_met?;
    let mut done = first.len();
    for stage in stages {
        if !is_met {
            break;
        }
        is_met = run(&transaction, stage).await?;
        done += stage.len();
    }
    if !is_met {
        transaction.rollback().await?;
        return Ok(Written::NotAtAll {
            refused_by: done - 1,
        });
    }
    // What failed here may have been committed all the same, and must not be done twice.
    let committed = transaction.commit().await;
    committed.map_err(|error| Failure::Final(without_values(error)))?;
    Ok(Written::Wholly)
}

/// Every statement is to see what was committed before it, even where the server's default is stricter: who has waited for
/// a lock would otherwise fail, or judge by what was there before.
async fn begin(client: &mut Client) -> Result<Transaction<'_>, tokio_postgres::Error> {
    client
        .build_transaction()
        .isolation_level(IsolationLevel::ReadCommitted)
        .start()
        .await
}

/// Runs one step, or several of which none requires anything. `false`: it required a row and found none.
async fn run(transaction: &Transaction<'_>, stage: &[Step]) -> Result<bool, Failure> {
    match stage {
        [Step::Require(statement)] => Ok(execute(transaction, statement).await? > 0),
        [Step::Append(event)] => {
            let lock = lock_head(event);
            let prepared = transaction.prepare_cached(lock.sql).await?;
            let head = query(&**transaction, &prepared, &lock.params).await?.pop();
            let head = head.ok_or_else(|| DatabaseError::new("the organization is gone"))?;
            execute_all(transaction, &append(event, head)?.each_ref()).await?;
            Ok(true)
        }
        steps => {
            let statements: Vec<_> = steps
                .iter()
                .filter_map(|step| match step {
                    Step::Run(statement) => Some(statement),
                    Step::Require(_) | Step::Append(_) => None,
                })
                .collect();
            execute_all(transaction, &statements).await?;
            Ok(true)
        }
    }
}

/// Executes statements in their order, each sent without waiting for the answer to the one before.
async fn execute_all(
    transaction: &Transaction<'_>,
    statements: &[&Statement],
) -> Result<(), Failure> {
    let mut prepared = Vec::new();
    for statement in statements {
        let ready = transaction.prepare_cached(statement.sql).await?;
        prepared.push((ready, &statement.params));
    }
    let mut sent = Vec::with_capacity(prepared.len());
    for (ready, params) in &prepared {
        let mut answer = Box::pin(maybe_done(transaction.execute_raw(ready, *params)));
        // The first poll sends it.
        let _ = poll!(answer.as_mut());
        sent.push(answer);
    }
    for mut answer in sent {
        answer.as_mut().await;
        answer.as_mut().take_output().transpose()?;
    }
    Ok(())
}

async fn execute(transaction: &Transaction<'_>, statement: &Statement) -> Result<u64, Failure> {
    let prepared = transaction.prepare_cached(statement.sql).await?;
    Ok(transaction
        .execute_raw(&prepared, &statement.params)
        .await?)
}

async fn query(
    client: &impl GenericClient,
    prepared: &tokio_postgres::Statement,
    params: &[impl ToSql + Sync],
) -> Result<Vec<Row>, Failure> {
    let rows = client.query_raw(prepared, params).await?;
    rows.map_err(Failure::from)
        .and_then(async |row| {
            let values = (0..row.len()).map(|column| row.try_get(column));
            Ok(Row::new(values.collect::<Result<_, _>>()?))
        })
        .try_collect()
        .await
}

async fn migrate(client: &mut Client) -> Result<(), MigrateError> {
    let transaction = begin(client).await.map_err(without_values)?;
    let run = async |sql: &str| transaction.batch_execute(sql).await.map_err(without_values);
    run(MIGRATION_SETTINGS).await?;
    run(MIGRATION_LOCK).await?;
    let found = schema_version(&*transaction).await?.unwrap_or(0);
    run(migrations::CREATE_TABLE).await?;
    for migration in migrations::MIGRATIONS
        .iter()
        .filter(|migration| migration.version > found)
    {
        run(migration.postgres).await?;
        transaction
            .execute(migrations::RECORD, &[&migration.version])
            .await
            .map_err(without_values)?;
    }
    transaction.commit().await.map_err(without_values)?;
    Ok(())
}

/// The schema's version; `None` in an empty database.
async fn schema_version(client: &impl GenericClient) -> Result<Option<i64>, MigrateError> {
    let tables = client
        .query(LIST_TABLES, &[])
        .await
        .map_err(without_values)?;
    let tables: Vec<String> = tables.iter().map(|row| row.get(0)).collect();
    let mut version = None;
    if tables.iter().any(|table| table == migrations::TABLE) {
        let row = client.query_one(migrations::READ_VERSION, &[]).await;
        version = row.map_err(without_values)?.get(0);
    }
    migrations::judge(tables, || Ok(version))
}

fn unreachable(error: PoolError) -> DatabaseError {
    match error {
        PoolError::Backend(error) => without_values(error),
        PoolError::Timeout(TimeoutType::Wait) => {
            DatabaseError::new("every connection to PostgreSQL stayed in use for too long")
        }
        PoolError::Timeout(_) => no_connection_in_time(),
        error => DatabaseError::new(error),
    }
}

fn no_connection_in_time() -> DatabaseError {
    DatabaseError::new("PostgreSQL does not let us connect in time")
}

fn late(_: Elapsed) -> DatabaseError {
    DatabaseError::new("PostgreSQL does not answer in time")
}

/// What PostgreSQL said, without its DETAIL: that quotes rows, and a row may hold a digest.
fn without_values(error: tokio_postgres::Error) -> DatabaseError {
    let Some(said) = error.as_db_error() else {
        return DatabaseError::new(error);
    };
    let code = said.code().code();
    DatabaseError::new(format!("{} (SQLSTATE {code})", said.message()))
}
