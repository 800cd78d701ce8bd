//! Opening a database file.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::command_writes::lock_file;

/// How many prepared statements a reader keeps: more than there are.
const PREPARED_STATEMENTS: usize = 128;
/// How long a statement waits for a write of another process, such as `prokura bootstrap`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a process opens the file for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqliteAccess {
    /// To be its server. A file has at most one.
    Server,
    /// To run a command beside the server.
    Command,
    /// To read. The file must exist; writes fail.
    Inspection,
}

/// Why a file cannot be opened as a database.
#[derive(Debug, thiserror::Error)]
pub enum OpenSqliteError {
    /// Another server has opened it.
    #[error("{} is in use by another `prokura serve`", .0.display())]
    Owned(PathBuf),
    /// The file system refused.
    #[error("cannot open {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("{} cannot be used as a SQLite database", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rusqlite::Error,
    },
}

impl OpenSqliteError {
    /// Wraps an error of the file system.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// Makes this process the server of the database at `path`, for as long as the returned lock file is open. Waits for a command
/// that writes.
pub(super) fn lock(path: &Path) -> Result<File, OpenSqliteError> {
    const PAUSE: Duration = Duration::from_millis(20);
    let begun = Instant::now();
    let lock = lock_file(path).map_err(OpenSqliteError::io(path))?;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::Error(source)) => return Err(OpenSqliteError::io(path)(source)),
            Err(TryLockError::WouldBlock) => {}
        }
        // Commands share the lock; a server does not.
        if lock.try_lock_shared().is_err() || begun.elapsed() > BUSY_TIMEOUT {
            return Err(OpenSqliteError::Owned(path.to_owned()));
        }
        lock.unlock().map_err(OpenSqliteError::io(path))?;
        thread::sleep(PAUSE);
    }
}

pub(super) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path)?;
    enter_wal(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    Ok(connection)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Switches the database to WAL. When two processes do so at the same time, SQLite fails at once for one of them, whatever the busy
/// timeout, because each could wait for the other. So this retries.
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
