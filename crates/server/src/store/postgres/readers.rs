//! The connections for reads: a few, shared by concurrent reads.
//!
//! PostgreSQL answers the statements of a connection in order, and the next one may be sent before the last is answered (pipelining).
//! So concurrent reads travel together, and none waits for a free connection. Each statement is a transaction of its own, so one that
//! fails does not affect the others. [Look-ups](super::look_ups) share statements as well.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::OnceCell, task::AbortHandle, time::timeout};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    attempt::{Failure, OPERATION_TIMEOUT, no_connection_in_time, settle},
    look_ups::LookUps,
    query::query,
};
use crate::store::database::{DatabaseError, Row, Statement};

/// The most connections for reads.
const MAX_CONNECTIONS: usize = 4;
/// After a restart of the database every connection may be dead: one attempt for each, and two to spare.
const ATTEMPTS: usize = MAX_CONNECTIONS + 2;

/// The connections for reads.
pub(super) struct Readers {
    config: Config,
    connector: MakeRustlsConnect,
    /// How long opening a connection may take.
    opening_takes: Duration,
    /// Each is opened when it is first needed. A read holds a clone of its connection's [`Arc`].
    readers: Mutex<Vec<Arc<OnceCell<Reader>>>>,
}

impl Readers {
    /// The share of reads in `pool_size` connections: an eighth, but at least one and at most [`MAX_CONNECTIONS`].
    pub(super) fn new(
        config: Config,
        connector: MakeRustlsConnect,
        opening_takes: Duration,
        pool_size: usize,
    ) -> Self {
        let count = (pool_size / 8).clamp(1, MAX_CONNECTIONS);
        Self {
            config,
            connector,
            opening_takes,
            readers: Mutex::new((0..count).map(|_| Arc::default()).collect()),
        }
    }

    /// How many connections there are.
    pub(super) fn count(&self) -> usize {
        self.readers().len()
    }

    /// The rows of one statement.
    pub(super) async fn read(&self, statement: Statement) -> Result<Vec<Row>, DatabaseError> {
        let mut attempts_left = ATTEMPTS;
        loop {
            let shared = self.least_busy();
            let read = async |reader: &Reader| reader.read(&statement).await;
            if let Some(rows) = settle(self.at(&shared, read).await, &mut attempts_left)? {
                return Ok(rows);
            }
        }
    }

    /// The rows of one look-up, batched with concurrent ones of its kind.
    pub(super) async fn look_up(&self, statement: Statement) -> Result<Vec<Row>, DatabaseError> {
        let shared = self.least_busy();
        let look_up = async |reader: &Reader| reader.look_up(&statement).await;
        match self.at(&shared, look_up).await {
            Ok(rows) => Ok(rows),
            // Another look-up of the batch may have caused the failure.
            Err(Failure::Again(_)) => self.read(statement).await,
            Err(Failure::Final(error)) => Err(error),
        }
    }

    async fn at(
        &self,
        shared: &Arc<OnceCell<Reader>>,
        read: impl AsyncFnOnce(&Reader) -> Result<Vec<Row>, Failure>,
    ) -> Result<Vec<Row>, Failure> {
        let reader = match shared.get() {
            Some(reader) => reader,
            None => timeout(self.opening_takes, shared.get_or_try_init(|| self.open()))
                .await
                .map_err(|_| no_connection_in_time())??,
        };
        let outcome = timeout(OPERATION_TIMEOUT, read(reader)).await;
        let outcome = outcome.unwrap_or_else(|elapsed| Err(elapsed.into()));
        if outcome.is_err() {
            self.retire(shared);
        }
        outcome
    }

    /// The connection with the fewest reads, so that few reads wait behind a slow statement.
    fn least_busy(&self) -> Arc<OnceCell<Reader>> {
        let mut readers = self.readers();
        let least_busy = readers
            .iter_mut()
            .min_by_key(|shared| Arc::strong_count(shared));
        let shared = least_busy.expect("there is at least one connection");
        if shared.get().is_some_and(|reader| reader.client.is_closed()) {
            *shared = Arc::default();
        }
        Arc::clone(shared)
    }

    /// Replaces a connection. The old one is closed when its reads have their answers.
    fn retire(&self, shared: &Arc<OnceCell<Reader>>) {
        let mut readers = self.readers();
        if let Some(found) = readers.iter_mut().find(|found| Arc::ptr_eq(found, shared)) {
            *found = Arc::default();
        }
    }

    async fn open(&self) -> Result<Reader, Failure> {
        let (client, connection) = self.config.connect(self.connector.clone()).await?;
        let running = tokio::spawn(connection);
        Ok(Reader {
            client: Arc::new(client),
            statements: Mutex::default(),
            look_ups: Mutex::default(),
            connection: running.abort_handle(),
        })
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Arc<OnceCell<Reader>>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open connection.
struct Reader {
    client: Arc<Client>,
    /// The prepared statements. The first read prepares a statement; concurrent ones wait for it.
    statements: Mutex<HashMap<&'static str, Arc<OnceCell<tokio_postgres::Statement>>>>,
    /// The look-ups, by their SQL.
    look_ups: Mutex<HashMap<&'static str, LookUps>>,
    /// The task that sends and receives. It is aborted on drop, even if the server does not answer.
    connection: AbortHandle,
}

impl Reader {
    async fn read(&self, statement: &Statement) -> Result<Vec<Row>, Failure> {
        let prepared = {
            let statements = self.statements.lock();
            let mut statements = statements.unwrap_or_else(PoisonError::into_inner);
            Arc::clone(statements.entry(statement.sql).or_default())
        };
        let prepared = prepared
            .get_or_try_init(|| self.client.prepare(statement.sql))
            .await?;
        query(&*self.client, prepared, &statement.params).await
    }

    async fn look_up(&self, statement: &Statement) -> Result<Vec<Row>, Failure> {
        let look_ups = {
            let look_ups = self.look_ups.lock();
            let mut look_ups = look_ups.unwrap_or_else(PoisonError::into_inner);
            let new = || LookUps::new(Arc::clone(&self.client), statement);
            look_ups.entry(statement.sql).or_insert_with(new).clone()
        };
        look_ups.find(statement.params.clone()).await
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
