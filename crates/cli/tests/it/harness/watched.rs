//! A database that counts its calls, and fails when it is told to.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use prokura_server::store::{
    CommandWrites, Database, DatabaseError, MigrateError, Row, Statement, Step, Written,
};

/// The counters and switches of a watched database.
#[derive(Debug)]
pub struct Watch {
    /// The number of reads so far.
    pub reads: AtomicUsize,
    /// The number of writes so far.
    pub writes: AtomicUsize,
    calls_before_failure: AtomicI64,
    loses_next_answer: AtomicBool,
}

impl Watch {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            reads: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            calls_before_failure: AtomicI64::new(i64::MAX),
            loses_next_answer: AtomicBool::new(false),
        })
    }

    /// Lets `calls` more calls succeed, and fails every call after them.
    pub fn fail_after(&self, calls: i64) {
        self.calls_before_failure.store(calls, Ordering::SeqCst);
    }

    /// Performs the next write and then fails, as when a connection breaks between the commit and its response.
    pub fn lose_next_answer(&self) {
        self.loses_next_answer.store(true, Ordering::SeqCst);
    }

    /// Makes all calls succeed again.
    pub fn mend(&self) {
        self.fail_after(i64::MAX);
    }

    fn count(&self, calls: &AtomicUsize) -> Result<(), DatabaseError> {
        calls.fetch_add(1, Ordering::SeqCst);
        if self.calls_before_failure.fetch_sub(1, Ordering::SeqCst) > 0 {
            Ok(())
        } else {
            Err(DatabaseError::new("told to fail"))
        }
    }
}

/// A database with its calls watched.
pub struct Watched<D> {
    pub inner: D,
    pub watch: Arc<Watch>,
}

impl<D: Database> Database for Watched<D> {
    fn read(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<Row>, DatabaseError>> {
        async move {
            self.watch.count(&self.watch.reads)?;
            self.inner.read(statement).await
        }
        .boxed()
    }

    fn look_up(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<Row>, DatabaseError>> {
        async move {
            self.watch.count(&self.watch.reads)?;
            self.inner.look_up(statement).await
        }
        .boxed()
    }

    fn write(&self, steps: Vec<Step>) -> BoxFuture<'_, Result<Written, DatabaseError>> {
        async move {
            self.watch.count(&self.watch.writes)?;
            let written = self.inner.write(steps).await;
            if self.watch.loses_next_answer.swap(false, Ordering::SeqCst) {
                return Err(DatabaseError::new("told to lose the answer"));
            }
            written
        }
        .boxed()
    }

    fn command_writes(&self) -> Option<&CommandWrites> {
        self.inner.command_writes()
    }

    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>> {
        self.inner.migrate()
    }

    fn schema_version(&self) -> BoxFuture<'_, Result<Option<i64>, MigrateError>> {
        self.inner.schema_version()
    }
}
