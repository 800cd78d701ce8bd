//! What is kept of idempotent requests, and how a write is kept from happening twice.

use super::{
    DatabaseError, Store, StoreError, Written,
    database::{Statement, Step},
    during,
};
use crate::domain::{ServiceAccountId, Timestamp};

/// A request that is to be done once, with the answer that its repeats are to get.
#[derive(Clone)]
pub struct IdempotentRequest {
    /// What it is recognised by.
    pub id: [u8; 32],
    /// Its answer.
    pub sealed_answer: Vec<u8>,
    /// When it is done. What has expired by then is no longer in its way.
    pub now: Timestamp,
    /// Until when a repeat is recognised.
    pub expires_at: Timestamp,
}

/// What came of something that is to be done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once<T> {
    /// It is done, or refused.
    Now(T),
    /// It was done before: nothing has changed, and this is the sealed answer that was kept.
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
    /// Writes, and forgets the account that is `changed` thereby; unless `request` was done before. Whoever comes while it is being done waits for the end
    /// of that, so of any number at once one is done. What is refused is not remembered.
    pub(super) async fn write_once(
        &self,
        doing: &'static str,
        request: Option<&IdempotentRequest>,
        mut steps: Vec<Step>,
        changed: Option<ServiceAccountId>,
    ) -> Result<Once<Written>, StoreError> {
        if let Some(request) = request {
            steps.insert(0, Step::Require(insert(request)));
        }
        let written = match changed {
            None => self.write(doing, steps).await?,
            Some(id) => {
                self.write_and_then(doing, steps, move |memory, _| memory.forget(id))
                    .await?
            }
        };
        let Some(request) = request else {
            return Ok(Once::Now(written));
        };
        Ok(match written {
            Written::Wholly => Once::Now(Written::Wholly),
            Written::NotAtAll { refused_by: 0 } => Once::Before(self.kept_answer(request).await?),
            // Counted as the caller counts, without the step in front.
            Written::NotAtAll { refused_by } => Once::Now(Written::NotAtAll {
                refused_by: refused_by - 1,
            }),
        })
    }

    async fn kept_answer(&self, request: &IdempotentRequest) -> Result<Vec<u8>, StoreError> {
        const DOING: &str = "reading the answer to an idempotent request";
        let select = Statement::new(
            "SELECT sealed FROM idempotent_requests WHERE id = $1",
            [request.id.into()],
        );
        self.read_one(DOING, select, |row| row.next())
            .await?
            // It was there a moment ago.
            .ok_or_else(|| during(DOING)(DatabaseError::new("the answer has just been swept")))
    }

    /// Forgets the idempotent requests that expire by `expired_by`.
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

/// Touches no row if the request was done before and has not expired. On PostgreSQL it waits for a transaction that is just
/// inserting the same.
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
