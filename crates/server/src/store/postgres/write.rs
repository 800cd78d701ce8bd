//! Writing: the steps of a write as one transaction.

use deadpool_postgres::{Client, Transaction};
use futures_util::{
    future::{join, maybe_done},
    poll,
};
use tokio_postgres::IsolationLevel;

use super::{attempt::Failure, query::query};
use crate::store::{
    audit_events::{append, lock_head},
    database::{Statement, Step, Written},
};

/// The settings of a write, whatever the server's defaults: an acknowledged write is durable, and a node that hangs or vanishes in
/// the middle does not keep its locks for long. The times are below [`OPERATION_TIMEOUT`](super::attempt::OPERATION_TIMEOUT).
const WRITE_SETTINGS: &str = "SET LOCAL synchronous_commit = on; SET LOCAL statement_timeout = '8s'; \
                              SET LOCAL idle_in_transaction_session_timeout = '8s'";

/// Applies the steps. Neighbouring steps that require nothing are sent without waiting for each other's answers.
pub(super) async fn apply(client: &mut Client, steps: &[Step]) -> Result<Written, Failure> {
    let require_nothing =
        |step: &Step, next: &Step| matches!((step, next), (Step::Run(_), Step::Run(_)));
    let mut stages = steps.chunk_by(require_nothing);
    let Some(first) = stages.next() else {
        return Ok(Written::Wholly);
    };
    // If this future is dropped at any point, even in the middle of BEGIN, the transaction rolls back.
    let transaction = begin(client).await?;
    let (set, is_met) = join(
        transaction.batch_execute(WRITE_SETTINGS),
        run(&transaction, first),
    )
    .await;
    set?;
    let mut is_met = is_met?;
    let mut done = first.len();
    for stage in stages {
        if !is_met {
            break;
        }
        is_met = run(&transaction, stage).await?;
        done += stage.len();
    }
    if !is_met {
        transaction.rollback().await?;
        return Ok(Written::NotAtAll {
            refused_by: done - 1,
        });
    }
    // A commit that failed may have happened all the same, and must not be repeated.
    let committed = transaction.commit().await;
    committed.map_err(|error| Failure::Final(error.into()))?;
    Ok(Written::Wholly)
}

/// Begins a transaction in which every statement sees what was committed before it, even if the server's default is stricter:
/// otherwise a statement that waited for a lock would fail, or judge by outdated rows.
pub(super) async fn begin(client: &mut Client) -> Result<Transaction<'_>, tokio_postgres::Error> {
    client
        .build_transaction()
        .isolation_level(IsolationLevel::ReadCommitted)
        .start()
        .await
}

/// Runs one step, or several that require nothing. `false`: the step found no row that it requires.
async fn run(transaction: &Transaction<'_>, stage: &[Step]) -> Result<bool, Failure> {
    match stage {
        [Step::Require(statement)] => Ok(execute(transaction, statement).await? > 0),
        [Step::Append(event)] => {
            let lock = lock_head(event);
            let prepared = transaction.prepare_cached(lock.sql).await?;
            let Some(head) = query(&**transaction, &prepared, &lock.params).await?.pop() else {
                return Ok(false);
            };
            execute_all(transaction, &append(event, head)?.each_ref()).await?;
            Ok(true)
        }
        steps => {
            let statements: Vec<_> = steps
                .iter()
                .filter_map(|step| match step {
                    Step::Run(statement) => Some(statement),
                    Step::Require(_) | Step::Append(_) => None,
                })
                .collect();
            execute_all(transaction, &statements).await?;
            Ok(true)
        }
    }
}

/// Executes statements in order. Each is sent without waiting for the answer to the one before.
async fn execute_all(
    transaction: &Transaction<'_>,
    statements: &[&Statement],
) -> Result<(), Failure> {
    let mut prepared = Vec::new();
    for statement in statements {
        let ready = transaction.prepare_cached(statement.sql).await?;
        prepared.push((ready, &statement.params));
    }
    let mut sent = Vec::with_capacity(prepared.len());
    for (ready, params) in &prepared {
        let mut answer = Box::pin(maybe_done(transaction.execute_raw(ready, *params)));
        // The first poll sends the statement.
        let _ = poll!(answer.as_mut());
        sent.push(answer);
    }
    for mut answer in sent {
        answer.as_mut().await;
        answer.as_mut().take_output().transpose()?;
    }
    Ok(())
}

async fn execute(transaction: &Transaction<'_>, statement: &Statement) -> Result<u64, Failure> {
    let prepared = transaction.prepare_cached(statement.sql).await?;
    Ok(transaction
        .execute_raw(&prepared, &statement.params)
        .await?)
}
