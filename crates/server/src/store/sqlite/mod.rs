//! SQLite: one writer thread with group commit, a few reader connections.
//!
//! `synchronous=FULL` makes every acknowledged write durable, and costs one flush per commit; the writer therefore
//! commits together all the writes that wait. Reads run where they are asked for: a point read from WAL costs a few
//! microseconds, less than handing it to another thread.

mod statements;
mod writer;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use self::{
    statements::{bind, parameters, rows},
    writer::{Job, Writer},
};
use super::{
    database::{Database, DatabaseError, MigrateError, Row, Statement, Step, Written},
    migrations,
};

/// Writes that may wait for the writer; more are made to wait at the door.
const QUEUE: usize = 1024;
/// Statements that a reader keeps prepared: more than there are.
const STATEMENTS: usize = 128;
/// How long a write waits for another process to finish its own, such as `prokura bootstrap`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A SQLite database.
pub struct Sqlite {
    path: PathBuf,
    writer: Option<mpsc::Sender<Job>>,
    writer_thread: Option<thread::JoinHandle<()>>,
    readers: Mutex<Vec<Connection>>,
    /// Held as long as this is the server that owns the file.
    ownership: Option<File>,
}

/// As what a process opens the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqliteAccess {
    /// As its one server.
    Server,
    /// As a command beside it.
    Command,
    /// To look and leave everything as it is: the file must be there, and writing fails.
    Inspection,
}

/// Why a file cannot be opened as a database.
#[derive(Debug, thiserror::Error)]
pub enum OpenSqliteError {
    /// Another server has it.
    #[error("{} is in use by another `prokura serve`", .0.display())]
    Owned(PathBuf),
    /// The file system says no.
    #[error("cannot open {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
    /// SQLite says no.
    #[error("{} cannot be used as a SQLite database", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Its answer.
        source: rusqlite::Error,
    },
}

impl Sqlite {
    /// Opens the file at `path`, creating it (mode 0600) if there is none and `access` may.
    pub fn open(path: &Path, access: SqliteAccess) -> Result<Self, OpenSqliteError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenSqliteError::Io { path, source }
        };
        let ownership = match access {
            SqliteAccess::Command => None,
            SqliteAccess::Inspection => {
                return Ok(Self {
                    path: path.to_owned(),
                    writer: None,
                    writer_thread: None,
                    readers: Mutex::default(),
                    ownership: None,
                });
            }
            SqliteAccess::Server => {
                let mut lock_path = path.as_os_str().to_owned();
                lock_path.push(".lock");
                let lock_path = PathBuf::from(lock_path);
                let lock = private_file(&lock_path).map_err(io(&lock_path))?;
                match lock.try_lock() {
                    Ok(()) => Some(lock),
                    Err(TryLockError::WouldBlock) => {
                        return Err(OpenSqliteError::Owned(path.to_owned()));
                    }
                    Err(TryLockError::Error(source)) => return Err(io(&lock_path)(source)),
                }
            }
        };
        // SQLite gives its -wal and -shm files the mode of the database.
        private_file(path).map_err(io(path))?;
        let connection = open_writer(path).map_err(|source| OpenSqliteError::Sqlite {
            path: path.to_owned(),
            source,
        })?;

        let (writer, jobs) = mpsc::channel(QUEUE);
        let writer_thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || Writer::new(&connection).work_off(jobs))
            .map_err(io(path))?;
        Ok(Self {
            path: path.to_owned(),
            writer: Some(writer),
            writer_thread: Some(writer_thread),
            readers: Mutex::default(),
            ownership,
        })
    }

    fn query(&self, statement: &Statement) -> Result<Vec<Row>, DatabaseError> {
        // A reader is taken out for the time of the read, so no lock is held while SQLite works.
        let idle = self.readers().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.path).map_err(DatabaseError::new)?,
        };
        let answer = query(&connection, statement);
        self.readers().push(connection);
        answer
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // The writer ends when nobody can ask it any more, and what it was asked before is written by then.
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
        self.ownership.is_some()
    }

    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>> {
        async move {
            let connection = open_writer(&self.path).map_err(DatabaseError::new)?;
            connection
                .execute_batch("BEGIN IMMEDIATE")
                .map_err(DatabaseError::new)?;
            // Dropping the connection rolls back what was not committed.
            let found = schema_version(&connection)?.unwrap_or(0);
            connection
                .execute_batch(migrations::CREATE_TABLE)
                .map_err(DatabaseError::new)?;
            for migration in migrations::MIGRATIONS
                .iter()
                .filter(|migration| migration.version > found)
            {
                connection
                    .execute_batch(migration.sqlite)
                    .and_then(|()| connection.execute(migrations::RECORD, [migration.version]))
                    .map_err(DatabaseError::new)?;
            }
            connection
                .execute_batch("COMMIT")
                .map_err(DatabaseError::new)?;
            Ok(())
        }
        .boxed()
    }

    fn schema_version(&self) -> BoxFuture<'_, Result<Option<i64>, MigrateError>> {
        async move {
            let connection = open_reader(&self.path).map_err(DatabaseError::new)?;
            schema_version(&connection)
        }
        .boxed()
    }
}

/// The schema's version; `None` in an empty database.
fn schema_version(connection: &Connection) -> Result<Option<i64>, MigrateError> {
    let tables = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| row.get::<_, String>(0))?
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(DatabaseError::new)?;
    migrations::judge(tables, || {
        connection
            .query_row(migrations::READ_VERSION, [], |row| row.get(0))
            .map_err(DatabaseError::new)
    })
}

fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    enter_wal(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Two processes that make a database at the same time both turn it to WAL. SQLite does not wait for the other one there,
/// whatever the timeout, since each might wait for the other.
fn enter_wal(connection: &Connection) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    let begun = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begun.elapsed() < BUSY_TIMEOUT =>
            {
                thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn query(connection: &Connection, statement: &Statement) -> Result<Vec<Row>, DatabaseError> {
    let mut prepared = connection
        .prepare_cached(statement.sql)
        .map_err(DatabaseError::new)?;
    bind(&mut prepared, parameters(statement.sql), &statement.params)?;
    rows(&mut prepared)
}

/// Opens a file that only its owner may read, creating it if need be.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
