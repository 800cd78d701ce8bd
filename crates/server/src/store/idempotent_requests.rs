//! Idempotent requests: a record of each request that was done, with its answer.

use super::{
    database::{DatabaseError, Statement, Step, Written},
    error::{StoreError, during},
    handle::Store,
};
use crate::domain::{ServiceAccountId, Timestamp};

/// A request to do once, with the answer for its replays.
#[derive(Clone)]
pub struct IdempotentRequest {
    /// Identifies the request.
    pub id: [u8; 32],
    /// The answer, sealed.
    pub sealed_answer: Vec<u8>,
    /// The current time. A record that has expired by then does not count.
    pub now: Timestamp,
    /// When the record expires. A replay after that is a new request.
    pub expires_at: Timestamp,
}

/// The outcome of a write that may be idempotent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once<T> {
    /// The write was made now, or refused.
    Now(T),
    /// The request was done before. Nothing has changed; this is the sealed answer of that time.
    Before(Vec<u8>),
}

impl<T> Once<T> {
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Once<U> {
        match self {
            Self::Now(outcome) => Once::Now(change(outcome)),
            Self::Before(sealed_answer) => Once::Before(sealed_answer),
        }
    }
}

impl Store {
    /// Writes, unless `request` was done before, and invalidates the cache of the account that is `changed`. Concurrent replays wait
    /// for each other, so one of them is done. A refused write leaves no record.
    pub(super) async fn write_once(
        &self,
        operation: &'static str,
        request: Option<&IdempotentRequest>,
        mut steps: Vec<Step>,
        changed: Option<ServiceAccountId>,
    ) -> Result<Once<Written>, StoreError> {
        if let Some(request) = request {
            steps.insert(0, Step::Require(insert(request)));
        }
        let written = match changed {
            None => self.write(operation, steps).await?,
            Some(id) => {
                self.write_and_update(operation, steps, move |memory, _| memory.invalidate(id))
                    .await?
            }
        };
        let Some(request) = request else {
            return Ok(Once::Now(written));
        };
        Ok(match written {
            Written::Wholly => Once::Now(Written::Wholly),
            Written::NotAtAll { refused_by: 0 } => Once::Before(self.kept_answer(request).await?),
            // The index among the caller's steps, without the one in front.
            Written::NotAtAll { refused_by } => Once::Now(Written::NotAtAll {
                refused_by: refused_by - 1,
            }),
        })
    }

    async fn kept_answer(&self, request: &IdempotentRequest) -> Result<Vec<u8>, StoreError> {
        const OPERATION: &str = "reading the answer to an idempotent request";
        let select = Statement::new(
            "SELECT sealed FROM idempotent_requests WHERE id = $1",
            [request.id.into()],
        );
        self.read_one(OPERATION, select, |row| row.next())
            .await?
            // The record was there when the write was refused.
            .ok_or_else(|| during(OPERATION)(DatabaseError::new("the answer has just expired")))
    }

    /// Deletes the records that expire by `expired_by`.
    pub async fn sweep_idempotent_requests(&self, expired_by: Timestamp) -> Result<(), StoreError> {
        let sweep = Statement::new(
            "DELETE FROM idempotent_requests WHERE expires_at <= $1",
            [expired_by.into()],
        );
        self.write("sweeping idempotent requests", vec![Step::Run(sweep)])
            .await
            .map(drop)
    }
}

/// Inserts the record. It touches no row if there is one that has not expired. On PostgreSQL it waits for a concurrent transaction
/// that inserts the same record.
fn insert(request: &IdempotentRequest) -> Statement {
    Statement::new(
        "INSERT INTO idempotent_requests (id, sealed, expires_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE \
         SET sealed = excluded.sealed, expires_at = excluded.expires_at WHERE idempotent_requests.expires_at <= $4",
        [
            request.id.into(),
            request.sealed_answer.clone().into(),
            request.expires_at.into(),
            request.now.into(),
        ],
    )
}
