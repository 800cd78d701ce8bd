//! The writer thread: group commit.

use std::{
    collections::{HashMap, hash_map::Entry},
    thread,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::statements::{bind, parameters, rows};
use crate::store::{
    audit_events::{append, read_head},
    database::{DatabaseError, Row, Statement, Step, Written},
};

/// The most writes that are committed together.
const GROUP: usize = 128;

/// A write, and the channel for its outcome.
pub(super) struct Job {
    pub(super) steps: Vec<Step>,
    pub(super) done: oneshot::Sender<Outcome>,
}

type Outcome = Result<Written, DatabaseError>;

/// The connection that writes, and its prepared statements.
pub(super) struct Writer<'c> {
    connection: &'c Connection,
    /// By their SQL. With SQLite's own cache, each run would also have to read the parameters' names: 0.8 µs of a creation.
    prepared: HashMap<&'static str, Prepared<'c>>,
}

struct Prepared<'c> {
    statement: rusqlite::Statement<'c>,
    parameters: Vec<usize>,
}

impl<'c> Writer<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            prepared: HashMap::new(),
        }
    }

    /// Takes the waiting jobs, applies them, commits once and answers them all. Returns when the channel is closed.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = Vec::with_capacity(GROUP);
        while jobs.blocking_recv_many(&mut waiting, GROUP) > 0 {
            // Other threads on this core get a turn, so that their writes join this commit.
            thread::yield_now();
            while waiting.len() < GROUP
                && let Ok(job) = jobs.try_recv()
            {
                waiting.push(job);
            }
            let (answers, jobs): (Vec<_>, Vec<_>) =
                waiting.drain(..).map(|job| (job.done, job.steps)).unzip();
            let outcomes = self.commit(&jobs).unwrap_or_else(|error| {
                // Nothing was committed: every job fails.
                let failed = || Err(DatabaseError::new(error.to_string()));
                jobs.iter().map(|_| failed()).collect()
            });
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // The caller may have gone; the write stands.
                let _ = answer.send(outcome);
            }
        }
    }

    /// Applies the jobs, each as a whole or not at all, and makes them durable.
    fn commit(&mut self, jobs: &[Vec<Step>]) -> rusqlite::Result<Vec<Outcome>> {
        let connection = self.connection;
        let run = |sql| connection.execute_batch(sql);
        run("BEGIN IMMEDIATE")?;
        let outcomes = match self.apply_together(jobs) {
            Some(outcomes) => outcomes,
            None => {
                if !connection.is_autocommit() {
                    run("ROLLBACK")?;
                }
                run("BEGIN IMMEDIATE")?;
                jobs.iter().map(|steps| self.apply_alone(steps)).collect()
            }
        };
        // A full disk is noticed here at the latest.
        if let Err(error) = run("COMMIT") {
            let _ = run("ROLLBACK");
            return Err(error);
        }
        Ok(outcomes)
    }

    /// Applies the jobs without savepoints: each savepoint costs a copy of every page that the job changes, and few jobs have to be
    /// undone. `None`: a job failed after its first step, and has to be undone.
    fn apply_together(&mut self, jobs: &[Vec<Step>]) -> Option<Vec<Outcome>> {
        jobs.iter()
            .map(|steps| match self.apply(steps) {
                Ok(written @ (Written::Wholly | Written::NotAtAll { refused_by: 0 })) => {
                    Some(Ok(written))
                }
                Ok(_) | Err(_) => None,
            })
            .collect()
    }

    /// Applies one job inside a savepoint, so that it can be undone by itself.
    fn apply_alone(&mut self, steps: &[Step]) -> Outcome {
        // A full or failing disk may have ended the transaction. A savepoint outside a transaction would commit by itself.
        if self.connection.is_autocommit() {
            return Err(DatabaseError::new(
                "an earlier failure ended the transaction",
            ));
        }
        let connection = self.connection;
        connection.execute_batch("SAVEPOINT job")?;
        let outcome = self.apply(steps);
        if !matches!(outcome, Ok(Written::Wholly)) {
            connection.execute_batch("ROLLBACK TO job")?;
        }
        connection.execute_batch("RELEASE job")?;
        outcome
    }

    fn apply(&mut self, steps: &[Step]) -> Outcome {
        for (at, step) in steps.iter().enumerate() {
            match step {
                Step::Require(statement) => {
                    if self.execute(statement)? == 0 {
                        return Ok(Written::NotAtAll { refused_by: at });
                    }
                }
                Step::Run(statement) => {
                    self.execute(statement)?;
                }
                Step::Append(event) => {
                    let Some(head) = self.query(&read_head(event))?.pop() else {
                        return Ok(Written::NotAtAll { refused_by: at });
                    };
                    for statement in append(event, head)? {
                        self.execute(&statement)?;
                    }
                }
            }
        }
        Ok(Written::Wholly)
    }

    fn execute(&mut self, statement: &Statement) -> Result<usize, DatabaseError> {
        Ok(self.prepare(statement)?.raw_execute()?)
    }

    fn query(&mut self, statement: &Statement) -> Result<Vec<Row>, DatabaseError> {
        rows(self.prepare(statement)?)
    }

    /// The statement with its parameters bound.
    fn prepare(
        &mut self,
        Statement { sql, params }: &Statement,
    ) -> Result<&mut rusqlite::Statement<'c>, DatabaseError> {
        let prepared = match self.prepared.entry(sql) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let statement = self.connection.prepare(sql)?;
                new.insert(Prepared {
                    parameters: parameters(&statement)?,
                    statement,
                })
            }
        };
        bind(&mut prepared.statement, &prepared.parameters, params)?;
        Ok(&mut prepared.statement)
    }
}
