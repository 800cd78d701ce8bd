//! [`Sqlite`]: the driver.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    migrate::{migrate, schema_version},
    open::{OpenSqliteError, SqliteAccess, lock, open_reader, open_writer, private_file},
    statements::{bind, parameters, rows},
    writer::{Job, Writer},
};
use crate::store::database::{
    Database, DatabaseError, MigrateError, Row, Statement, Step, Written,
};

/// How many writes may wait for the writer. A further one waits for space in the queue.
const QUEUED_WRITES: usize = 1024;

/// A SQLite database.
pub struct Sqlite {
    path: PathBuf,
    writer: Option<mpsc::Sender<Job>>,
    writer_thread: Option<thread::JoinHandle<()>>,
    /// The idle readers. A read takes one out, so SQLite never works under the lock.
    readers: Mutex<Vec<Connection>>,
    /// Open as long as this process is the server of the file.
    lock: Option<File>,
}

impl Sqlite {
    /// Opens the file at `path`. Creates it with mode 0600 if it does not exist, unless `access` is
    /// [`Inspection`](SqliteAccess::Inspection).
    pub fn open(path: &Path, access: SqliteAccess) -> Result<Self, OpenSqliteError> {
        let mut sqlite = Self {
            path: path.to_owned(),
            writer: None,
            writer_thread: None,
            readers: Mutex::default(),
            lock: None,
        };
        match access {
            SqliteAccess::Inspection => return Ok(sqlite),
            SqliteAccess::Command => {}
            SqliteAccess::Server => sqlite.lock = Some(lock(path)?),
        }
        private_file(path)?;
        let connection = open_writer(path).map_err(|source| OpenSqliteError::Sqlite {
            path: path.to_owned(),
            source,
        })?;
        let (writer, jobs) = mpsc::channel(QUEUED_WRITES);
        let writer_thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || Writer::new(&connection).run(jobs))
            .map_err(OpenSqliteError::io(path))?;
        sqlite.writer = Some(writer);
        sqlite.writer_thread = Some(writer_thread);
        Ok(sqlite)
    }

    fn query(&self, statement: &Statement) -> Result<Vec<Row>, DatabaseError> {
        let idle = self.readers().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.path)?,
        };
        let answer = query(&connection, statement);
        self.readers().push(connection);
        answer
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // The writer thread ends when the channel is closed and every queued write is done.
        self.writer = None;
        self.writer_thread.take().map(thread::JoinHandle::join);
    }
}

impl Database for Sqlite {
    fn read(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<Row>, DatabaseError>> {
        async move { self.query(&statement) }.boxed()
    }

    fn look_up(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<Row>, DatabaseError>> {
        self.read(statement)
    }

    fn write(&self, steps: Vec<Step>) -> BoxFuture<'_, Result<Written, DatabaseError>> {
        async move {
            let stopped = || DatabaseError::new("the SQLite writer has stopped");
            let writer = self.writer.as_ref().ok_or_else(stopped)?;
            let (done, answer) = oneshot::channel();
            writer
                .send(Job { steps, done })
                .await
                .map_err(|_| stopped())?;
            answer.await.map_err(|_| stopped())?
        }
        .boxed()
    }

    fn is_solely_owned(&self) -> bool {
        self.lock.is_some()
    }

    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>> {
        async move { migrate(&open_writer(&self.path)?) }.boxed()
    }

    fn schema_version(&self) -> BoxFuture<'_, Result<Option<i64>, MigrateError>> {
        async move { schema_version(&open_reader(&self.path)?) }.boxed()
    }
}

fn query(connection: &Connection, statement: &Statement) -> Result<Vec<Row>, DatabaseError> {
    let mut prepared = connection.prepare_cached(statement.sql)?;
    let parameters = parameters(&prepared)?;
    bind(&mut prepared, &parameters, &statement.params)?;
    rows(&mut prepared)
}
