//! Batched look-ups: concurrent look-ups of one kind share a statement.
//!
//! Receiving and starting a statement and sending its answer costs PostgreSQL more than finding a row by its id. So while a statement
//! is under way on a connection, further look-ups of its kind queue there and share the next statement. A look-up without company
//! does not wait; the more there are, the less each costs.

use std::{iter, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
};
use tokio_postgres::{Client, types::Type};

use super::{attempt::Failure, query::query};
use crate::store::database::{DatabaseError, Row, Statement, Value};

/// The most look-ups in one statement. Larger batches save hardly anything more, and delay the first look-up.
const MAX_BATCH: usize = 64;

/// The look-ups of one kind over one connection.
#[derive(Clone)]
pub(super) struct LookUps(mpsc::UnboundedSender<LookUp>);

impl LookUps {
    /// The look-ups that differ from `statement` only in their ids.
    pub(super) fn new(client: Arc<Client>, statement: &Statement) -> Self {
        let (sender, queue) = mpsc::unbounded_channel();
        // The task ends with its first failure, or when every sender is dropped.
        tokio::spawn(answer_all(
            client,
            batched(statement.sql, statement.params.len()),
            statement.params.len(),
            queue,
        ));
        Self(sender)
    }

    /// The rows for these ids. A failed statement fails every look-up in it with [`Failure::Again`], without a cause: each is then to
    /// be repeated by itself.
    pub(super) async fn find(&self, ids: Vec<Value>) -> Result<Vec<Row>, Failure> {
        let (answer, answered) = oneshot::channel();
        // If the task has ended, the look-up is dropped, and `answer` with it.
        let _ = self.0.send(LookUp { ids, answer });
        answered
            .await
            .map_err(|dropped| Failure::Again(DatabaseError::new(dropped)))
    }
}

struct LookUp {
    ids: Vec<Value>,
    answer: oneshot::Sender<Vec<Row>>,
}

/// Answers the queued look-ups, one statement after the other.
async fn answer_all(
    client: Arc<Client>,
    sql: String,
    ids: usize,
    mut queue: mpsc::UnboundedReceiver<LookUp>,
) -> Result<(), Failure> {
    let prepared = client
        .prepare_typed(&sql, &vec![Type::BYTEA_ARRAY; ids])
        .await?;
    while let Some(first) = queue.recv().await {
        // Other tasks that are ready get a turn, so that their look-ups join this statement.
        yield_now().await;
        let others = iter::from_fn(|| queue.try_recv().ok());
        let look_ups: Vec<_> = iter::once(first).chain(others).take(MAX_BATCH).collect();
        let params: Vec<Vec<&Value>> = (0..ids)
            .map(|number| {
                look_ups
                    .iter()
                    .map(|look_up| &look_up.ids[number])
                    .collect()
            })
            .collect();
        let mut answers: Vec<Vec<Row>> = look_ups.iter().map(|_| Vec::new()).collect();
        for mut row in query(&*client, &prepared, &params).await? {
            let place = usize::try_from(row.next::<i64>()? - 1).map_err(DatabaseError::new)?;
            let answer = answers.get_mut(place);
            answer
                .ok_or_else(|| DatabaseError::new("a row belongs to no look-up"))?
                .push(row);
        }
        for (look_up, rows) in look_ups.into_iter().zip(answers) {
            // The caller may have gone.
            let _ = look_up.answer.send(rows);
        }
    }
    Ok(())
}

/// The statement for a batch of look-ups. Each parameter is an array of that parameter of `sql`; the first column is the number of
/// the look-up that a row belongs to, counted from 1.
///
/// `OFFSET 0` makes PostgreSQL plan `sql` by itself, so a look-up costs the same whatever it finds; otherwise PostgreSQL might read a
/// whole table to join it with the ids. The arrays are subselects, so that no plan depends on their lengths: such a plan would be made
/// anew each time, which takes longer than the look-ups.
fn batched(sql: &str, ids: usize) -> String {
    let each = |write: &dyn Fn(usize) -> String| {
        let written: Vec<_> = (1..=ids).map(write).collect();
        written.join(", ")
    };
    let arrays = each(&|number| format!("(SELECT ${number})"));
    let names = each(&|number| format!("id{number}"));
    let sql = (1..=ids).rev().fold(sql.to_owned(), |sql, number| {
        sql.replace(&format!("${number}"), &format!("asked.id{number}"))
    });
    format!(
        "SELECT asked.place, found.* FROM unnest({arrays}) WITH ORDINALITY AS asked ({names}, place), \
         LATERAL ({sql} OFFSET 0) AS found"
    )
}
