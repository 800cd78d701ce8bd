//! SQLite: one writer thread with group commit, a few reader connections.
//!
//! `synchronous=FULL` makes every acknowledged write durable, and costs one flush per commit; the writer therefore
//! commits together all the writes that wait. Reads run where they are asked for: a point read from WAL costs a few
//! microseconds, less than handing it to another thread.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use rusqlite::{Connection, ErrorCode, OpenFlags, types::ValueRef};
use tokio::sync::{mpsc, oneshot};

use super::{
    audit_events::{append, read_head},
    database::{Database, DatabaseError, MigrateError, Row, Statement, Step, Value, Written},
    migrations,
};

/// Writes that may wait for the writer; more are made to wait at the door.
const QUEUE: usize = 1024;
/// Writes committed together at most.
const GROUP: usize = 128;
/// Statements that a connection keeps prepared: more than there are.
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
    #[error(
        "{} is in use by another `prokura serve`; stop that one first, or use PostgreSQL for several nodes", .0.display()
    )]
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

struct Job {
    steps: Vec<Step>,
    done: oneshot::Sender<Result<Written, DatabaseError>>,
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
            .spawn(move || write_jobs(&connection, jobs))
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
        let rows = query(&connection, statement);
        self.readers().push(connection);
        rows
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
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
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

/// What came of one job.
type Outcome = Result<Written, DatabaseError>;

/// The writer's life: take what waits, apply it, commit once, answer all.
fn write_jobs(connection: &Connection, mut jobs: mpsc::Receiver<Job>) {
    let mut waiting = Vec::with_capacity(GROUP);
    while jobs.blocking_recv_many(&mut waiting, GROUP) > 0 {
        let (answers, jobs): (Vec<_>, Vec<_>) =
            waiting.drain(..).map(|job| (job.done, job.steps)).unzip();
        let outcomes = commit(connection, &jobs).unwrap_or_else(|error| {
            // None of them is acknowledged, and none is kept.
            let refused = || Err(DatabaseError::new(error.to_string()));
            jobs.iter().map(|_| refused()).collect()
        });
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // Whoever asked may have hung up; the write stands.
            let _ = answer.send(outcome);
        }
    }
}

/// Applies the jobs, each wholly or not at all, and makes them durable.
fn commit(connection: &Connection, jobs: &[Vec<Step>]) -> rusqlite::Result<Vec<Outcome>> {
    let run = |sql| connection.execute_batch(sql);
    run("BEGIN IMMEDIATE")?;
    let outcomes = match apply_together(connection, jobs) {
        Some(outcomes) => outcomes,
        None => {
            if !connection.is_autocommit() {
                run("ROLLBACK")?;
            }
            run("BEGIN IMMEDIATE")?;
            let alone = |steps: &Vec<_>| apply_alone(connection, steps);
            jobs.iter().map(alone).collect()
        }
    };
    // A full disk shows here at the latest.
    if let Err(error) = run("COMMIT") {
        let _ = run("ROLLBACK");
        return Err(error);
    }
    Ok(outcomes)
}

/// Applies the jobs with nothing between them: a savepoint for each costs a copy of every page that it changes, and hardly
/// any job has to be undone. `None`: one would have to be, when it had begun.
fn apply_together(connection: &Connection, jobs: &[Vec<Step>]) -> Option<Vec<Outcome>> {
    jobs.iter()
        .map(|steps| match apply(connection, steps) {
            Ok(written @ (Written::Wholly | Written::NotAtAll { refused_by: 0 })) => {
                Some(Ok(written))
            }
            Ok(_) | Err(_) => None,
        })
        .collect()
}

/// Applies one job inside a savepoint, so that its failure is its own.
fn apply_alone(connection: &Connection, steps: &[Step]) -> Outcome {
    // A full disk or a failing one may have ended the transaction; a savepoint outside one would commit by itself.
    if connection.is_autocommit() {
        return Err(DatabaseError::new(
            "an earlier failure ended the transaction",
        ));
    }
    let run = |sql| connection.execute_batch(sql).map_err(DatabaseError::new);
    run("SAVEPOINT job")?;
    let outcome = apply(connection, steps);
    if !matches!(outcome, Ok(Written::Wholly)) {
        run("ROLLBACK TO job")?;
    }
    run("RELEASE job")?;
    outcome
}

fn apply(connection: &Connection, steps: &[Step]) -> Outcome {
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Require(statement) => {
                if execute(connection, statement)? == 0 {
                    return Ok(Written::NotAtAll { refused_by: at });
                }
            }
            Step::Run(statement) => {
                execute(connection, statement)?;
            }
            Step::Append(event) => {
                let head = query(connection, &read_head(event))?
                    .pop()
                    .ok_or_else(|| DatabaseError::new("the organization is gone"))?;
                for statement in append(event, head)? {
                    execute(connection, &statement)?;
                }
            }
        }
    }
    Ok(Written::Wholly)
}

fn execute(connection: &Connection, statement: &Statement) -> Result<usize, DatabaseError> {
    let mut prepared = prepare(connection, statement)?;
    prepared.raw_execute().map_err(DatabaseError::new)
}

fn query(connection: &Connection, statement: &Statement) -> Result<Vec<Row>, DatabaseError> {
    let mut prepared = prepare(connection, statement)?;
    let columns = prepared.column_count();
    let mut rows = prepared.raw_query();
    let mut answer = Vec::new();
    while let Some(row) = rows.next().map_err(DatabaseError::new)? {
        let values = (0..columns)
            .map(|column| {
                row.get_ref(column)
                    .map_err(DatabaseError::new)
                    .and_then(value)
            })
            .collect::<Result<_, _>>()?;
        answer.push(Row::new(values));
    }
    Ok(answer)
}

fn prepare<'c>(
    connection: &'c Connection,
    statement: &Statement,
) -> Result<rusqlite::CachedStatement<'c>, DatabaseError> {
    let mut prepared = connection
        .prepare_cached(statement.sql)
        .map_err(DatabaseError::new)?;
    let mut bound = 0;
    for number in parameters(statement.sql) {
        bound += 1;
        let value = number
            .checked_sub(1)
            .and_then(|at| statement.params.get(at))
            .ok_or_else(|| DatabaseError::new("a statement has a parameter without a value"))?;
        match value {
            Value::Null => prepared.raw_bind_parameter(bound, rusqlite::types::Null),
            Value::Integer(value) => prepared.raw_bind_parameter(bound, value),
            Value::Text(value) => prepared.raw_bind_parameter(bound, value),
            Value::Bytes(value) => prepared.raw_bind_parameter(bound, value),
        }
        .map_err(DatabaseError::new)?;
    }
    if bound != prepared.parameter_count() {
        return Err(DatabaseError::new(
            "the parameters of a statement are not what they seem",
        ));
    }
    Ok(prepared)
}

/// The parameters of a statement in the order in which each first stands in it. SQLite takes `$3` for a name and numbers
/// names as they come; PostgreSQL means the third value.
fn parameters(sql: &str) -> impl Iterator<Item = usize> {
    let mut seen = 0u64;
    sql.split('$').skip(1).filter_map(move |behind| {
        let end = behind.find(|char: char| !char.is_ascii_digit());
        let number = behind[..end.unwrap_or(behind.len())].parse().ok()?;
        let bit = 1u64.checked_shl(number)?;
        let is_first = seen & bit == 0;
        seen |= bit;
        is_first.then_some(number as usize)
    })
}

fn value(value: ValueRef<'_>) -> Result<Value, DatabaseError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Text(value) => {
            Value::Text(String::from_utf8(value.to_vec()).map_err(DatabaseError::new)?)
        }
        ValueRef::Blob(value) => Value::Bytes(value.to_vec()),
        ValueRef::Real(_) => return Err(DatabaseError::new("a column holds a float")),
    })
}

/// Opens a file that only its owner may read, creating it if need be.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_in_the_order_in_which_they_first_stand() {
        let order = |sql| parameters(sql).collect::<Vec<_>>();
        assert!(order("SELECT 1").is_empty());
        assert_eq!(
            order("a = $2 AND (b = $10 OR $2 IS NULL) AND c = $1"),
            [2, 10, 1]
        );
        assert_eq!(order("$1,$2"), [1, 2]);
    }
}
