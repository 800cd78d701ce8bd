//! The one writer: group commit.

use std::{
    collections::{HashMap, hash_map::Entry},
    thread,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::statements::{bind, parameters, rows};
use crate::store::{
    DatabaseError, Row, Statement, Step, Written,
    audit_events::{append, read_head},
};

/// Writes committed together at most.
const GROUP: usize = 128;

/// A write, and who waits for it.
pub(super) struct Job {
    pub(super) steps: Vec<Step>,
    pub(super) done: oneshot::Sender<Outcome>,
}

/// What came of one job.
type Outcome = Result<Written, DatabaseError>;

/// The connection that writes, with every statement that it has met.
pub(super) struct Writer<'c> {
    connection: &'c Connection,
    /// By where their text lies in memory, and its length: texts are constants.
    prepared: HashMap<(usize, usize), Prepared<'c>>,
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

    /// Takes what waits, applies it, commits once, answers all; until nobody can ask any more.
    pub(super) fn work_off(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = Vec::with_capacity(GROUP);
        while jobs.blocking_recv_many(&mut waiting, GROUP) > 0 {
            // Whoever else would run on this core gets a turn: what he has to write goes along.
            thread::yield_now();
            while waiting.len() < GROUP
                && let Ok(job) = jobs.try_recv()
            {
                waiting.push(job);
            }
            let (answers, jobs): (Vec<_>, Vec<_>) =
                waiting.drain(..).map(|job| (job.done, job.steps)).unzip();
            let outcomes = self.commit(&jobs).unwrap_or_else(|error| {
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
        // A full disk shows here at the latest.
        if let Err(error) = run("COMMIT") {
            let _ = run("ROLLBACK");
            return Err(error);
        }
        Ok(outcomes)
    }

    /// Applies the jobs with nothing between them: a savepoint for each costs a copy of every page that it changes, and
    /// hardly any job has to be undone. `None`: one would have to be, when it had begun.
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

    /// Applies one job inside a savepoint, so that its failure is its own.
    fn apply_alone(&mut self, steps: &[Step]) -> Outcome {
        // A full disk or a failing one may have ended the transaction; a savepoint outside one would commit by itself.
        if self.connection.is_autocommit() {
            return Err(DatabaseError::new(
                "an earlier failure ended the transaction",
            ));
        }
        let connection = self.connection;
        let run = |sql| connection.execute_batch(sql).map_err(DatabaseError::new);
        run("SAVEPOINT job")?;
        let outcome = self.apply(steps);
        if !matches!(outcome, Ok(Written::Wholly)) {
            run("ROLLBACK TO job")?;
        }
        run("RELEASE job")?;
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
                    let head = self
                        .query(&read_head(event))?
                        .pop()
                        .ok_or_else(|| DatabaseError::new("the organization is gone"))?;
                    for statement in append(event, head)? {
                        self.execute(&statement)?;
                    }
                }
            }
        }
        Ok(Written::Wholly)
    }

    fn execute(&mut self, statement: &Statement) -> Result<usize, DatabaseError> {
        self.prepare(statement)?
            .raw_execute()
            .map_err(DatabaseError::new)
    }

    fn query(&mut self, statement: &Statement) -> Result<Vec<Row>, DatabaseError> {
        rows(self.prepare(statement)?)
    }

    /// The statement, ready to run. Kept by ourselves, since to look it up by its text and to read off the parameters each
    /// time is a tenth of a write.
    fn prepare(
        &mut self,
        Statement { sql, params }: &Statement,
    ) -> Result<&mut rusqlite::Statement<'c>, DatabaseError> {
        let prepared = match self.prepared.entry((sql.as_ptr().addr(), sql.len())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Prepared {
                statement: self.connection.prepare(sql).map_err(DatabaseError::new)?,
                parameters: parameters(sql).collect(),
            }),
        };
        let parameters = prepared.parameters.iter().copied();
        bind(&mut prepared.statement, parameters, params)?;
        Ok(&mut prepared.statement)
    }
}
