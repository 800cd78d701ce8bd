//! [`Sqlite`]: the driver.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    command_writes::{CommandWriteError, CommandWrites, WritePermit},
    migrate::{migrate, schema_version},
    open::{OpenSqliteError, SqliteAccess, lock, open_reader, open_writer},
    private_file::open_private_file,
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
    role: Role,
}

/// What this process is to the file.
enum Role {
    /// Its only server, as long as the lock file is open.
    Server {
        command_writes: CommandWrites,
        _lock: File,
    },
    /// A command that may run beside the server. It gets the permit for its first write and keeps it.
    Command(tokio::sync::Mutex<Option<WritePermit>>),
    /// A reader.
    Inspector,
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
            role: Role::Inspector,
        };
        if access == SqliteAccess::Inspection {
            return Ok(sqlite);
        }
        // SQLite gives its `-wal` and `-shm` files the mode of the database.
        open_private_file(path).map_err(OpenSqliteError::io(path))?;
        // Whatever name it is opened by, a file has one lock and one socket.
        let path = &fs::canonicalize(path).map_err(OpenSqliteError::io(path))?;
        path.clone_into(&mut sqlite.path);
        sqlite.role = if access == SqliteAccess::Server {
            let _lock = lock(path)?;
            let command_writes = CommandWrites::listen(path).map_err(OpenSqliteError::io(path))?;
            Role::Server {
                command_writes,
                _lock,
            }
        } else {
            Role::Command(tokio::sync::Mutex::default())
        };
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

    async fn queue(&self, steps: Vec<Step>) -> Result<Written, DatabaseError> {
        let stopped = || DatabaseError::new("the SQLite writer has stopped");
        let writer = self.writer.as_ref().ok_or_else(stopped)?;
        let (done, answer) = oneshot::channel();
        writer
            .send(Job { steps, done })
            .await
            .map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
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
            let Role::Command(permit) = &self.role else {
                return self.queue(steps).await;
            };
            let mut permit = permit.lock().await;
            let permit = match &mut *permit {
                Some(permit) => permit,
                none => none.insert(WritePermit::obtain(&self.path).await?),
            };
            let written = self.queue(steps).await?;
            permit.confirm_commit(&self.path).await?;
            Ok(written)
        }
        .boxed()
    }

    fn command_writes(&self) -> Option<&CommandWrites> {
        match &self.role {
            Role::Server { command_writes, .. } => Some(command_writes),
            Role::Command(_) | Role::Inspector => None,
        }
    }

    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>> {
        async move { migrate(&open_writer(&self.path)?) }.boxed()
    }

    fn schema_version(&self) -> BoxFuture<'_, Result<Option<i64>, MigrateError>> {
        async move { schema_version(&open_reader(&self.path)?) }.boxed()
    }
}

impl From<CommandWriteError> for DatabaseError {
    fn from(error: CommandWriteError) -> Self {
        Self::new(error)
    }
}

fn query(connection: &Connection, statement: &Statement) -> Result<Vec<Row>, DatabaseError> {
    let mut prepared = connection.prepare_cached(statement.sql)?;
    let parameters = parameters(&prepared)?;
    bind(&mut prepared, &parameters, &statement.params)?;
    rows(&mut prepared)
}
