//! The connections for reads: a few, each shared by all who read at the same time.
//!
//! PostgreSQL answers the statements of a connection in their order, and the next may be sent before the last is answered. So
//! what is read at the same time travels together, and nobody waits for a connection to be free. Each statement is a
//! transaction of its own: one that fails says nothing of those beside it. [Look-ups](super::look_ups) even share statements.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::OnceCell, task::AbortHandle, time::timeout};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    Failure, OPERATION_TIMEOUT, late, look_ups::LookUps, no_connection_in_time, query, settle,
};
use crate::store::database::{DatabaseError, Row, Statement};

/// The most connections that reads may have.
const MOST: usize = 4;
/// After a restart of the database every one may be dead and none has noticed: one attempt for each, and two to spare.
const ATTEMPTS: usize = MOST + 2;

/// The connections.
pub(super) struct Readers {
    config: Config,
    connector: MakeRustlsConnect,
    /// How long opening one may take.
    opening_takes: Duration,
    /// Each opened when it is first needed. Whoever reads holds a clone meanwhile.
    readers: Mutex<Vec<Arc<OnceCell<Reader>>>>,
}

impl Readers {
    /// The connections for reads among `pool_size` in all: an eighth, but at least one and at most four.
    pub(super) fn new(
        config: Config,
        connector: MakeRustlsConnect,
        opening_takes: Duration,
        pool_size: usize,
    ) -> Self {
        let count = (pool_size / 8).clamp(1, MOST);
        Self {
            config,
            connector,
            opening_takes,
            readers: Mutex::new((0..count).map(|_| Arc::default()).collect()),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.readers().len()
    }

    /// The rows of one statement.
    pub(super) async fn read(&self, statement: Statement) -> Result<Vec<Row>, DatabaseError> {
        let mut attempts = ATTEMPTS;
        loop {
            let shared = self.least_busy();
            let read = async |reader: &Reader| reader.read(&statement).await;
            if let Some(rows) = settle(self.at(&shared, read).await, &mut attempts)? {
                return Ok(rows);
            }
        }
    }

    /// The rows of one statement that looks something up by its ids, together with others of its kind.
    pub(super) async fn look_up(&self, statement: Statement) -> Result<Vec<Row>, DatabaseError> {
        let shared = self.least_busy();
        let look_up = async |reader: &Reader| reader.look_up(&statement).await;
        match self.at(&shared, look_up).await {
            Ok(rows) => Ok(rows),
            // It may have been another's fault.
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
        let outcome = outcome.unwrap_or_else(|elapsed| Err(late(elapsed).into()));
        if outcome.is_err() {
            self.retire(shared);
        }
        outcome
    }

    /// The one that the fewest use: behind a statement that takes long, nobody waits who need not.
    fn least_busy(&self) -> Arc<OnceCell<Reader>> {
        let mut readers = self.readers();
        let least_busy = readers
            .iter_mut()
            .min_by_key(|shared| Arc::strong_count(shared));
        let shared = least_busy.expect("there is at least one");
        if shared.get().is_some_and(|reader| reader.client.is_closed()) {
            *shared = Arc::default();
        }
        Arc::clone(shared)
    }

    /// Puts a new one in the place of `shared`, which is closed when those who read there have their answers.
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
    /// What is prepared on it, once: by who first needs it, while others wait.
    statements: Mutex<HashMap<&'static str, Arc<OnceCell<tokio_postgres::Statement>>>>,
    /// What is looked up over it, each statement by itself.
    look_ups: Mutex<HashMap<&'static str, LookUps>>,
    /// What sends and receives. It ends with this, even where the server has gone silent.
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
