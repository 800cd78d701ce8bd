//! Look-ups: what is looked up by id at the same time is asked for in one statement.
//!
//! To take in a statement, to start it and to send its answer costs PostgreSQL more than what it finds under an id. So while
//! one is under way on a connection, further look-ups of its kind wait there, and go together in the next: at a quiet time
//! nobody waits, and the more there are, the less each costs.

use std::{iter, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
};
use tokio_postgres::{Client, types::Type};

use super::{Failure, query};
use crate::store::database::{DatabaseError, Row, Statement, Value};

/// The most that go together. More would hardly save anything, and the first has to wait for the last.
const MOST_TOGETHER: usize = 64;

/// The look-ups of one kind over one connection.
#[derive(Clone)]
pub(super) struct LookUps(mpsc::UnboundedSender<LookUp>);

impl LookUps {
    /// Those that differ from `statement` by their ids alone.
    pub(super) fn new(client: Arc<Client>, statement: &Statement) -> Self {
        let (asks, asked) = mpsc::unbounded_channel();
        // Ends with its first failure, or with the last who may ask.
        tokio::spawn(answer_all(
            client,
            together(statement.sql, statement.params.len()),
            statement.params.len(),
            asked,
        ));
        Self(asks)
    }

    /// The rows under these ids. What fails, fails for all that go together, and none of them is told why:
    /// [`Failure::Again`], by itself.
    pub(super) async fn find(&self, ids: Vec<Value>) -> Result<Vec<Row>, Failure> {
        let (answer, answered) = oneshot::channel();
        // If nobody answers any more, this is dropped, and `answer` with it.
        let _ = self.0.send(LookUp { ids, answer });
        answered
            .await
            .map_err(|gone| Failure::Again(DatabaseError::new(gone)))
    }
}

struct LookUp {
    ids: Vec<Value>,
    answer: oneshot::Sender<Vec<Row>>,
}

/// Answers what is asked, one statement after the other.
async fn answer_all(
    client: Arc<Client>,
    sql: String,
    ids: usize,
    mut asked: mpsc::UnboundedReceiver<LookUp>,
) -> Result<(), Failure> {
    let prepared = client
        .prepare_typed(&sql, &vec![Type::BYTEA_ARRAY; ids])
        .await?;
    while let Some(first) = asked.recv().await {
        // Everybody else who is ready gets a turn: what they have to ask goes along.
        yield_now().await;
        let others = iter::from_fn(|| asked.try_recv().ok());
        let look_ups: Vec<_> = iter::once(first)
            .chain(others)
            .take(MOST_TOGETHER)
            .collect();
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
                .ok_or_else(|| DatabaseError::new("a row answers nobody"))?
                .push(row);
        }
        for (look_up, rows) in look_ups.into_iter().zip(answers) {
            // Whoever has hung up needs no answer.
            let _ = look_up.answer.send(rows);
        }
    }
    Ok(())
}

/// The statement for any number of look-ups: its parameters are arrays of what those of `sql` are, and its first column says
/// whose answer a row belongs to, counted from 1.
///
/// Each look-up costs the same whatever it finds, as it does alone: `OFFSET 0` has `sql` planned by itself, or PostgreSQL might
/// read a whole table to join it with many ids at once. The arrays are subselects, so that no plan depends on their lengths:
/// one that did would be made anew each time, which takes longer than the look-ups.
fn together(sql: &str, ids: usize) -> String {
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
