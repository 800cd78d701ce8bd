//! Requests that are done once, however often they are sent: a repeat gets the answer that the first one got.

use std::fmt;

use zeroize::Zeroizing;

use super::{Authority, Caller, Unavailable};
use crate::{
    domain::{Action, IdempotencyKey, ServiceAccountId, Timestamp},
    keys::{AnswerLock, OpenAnswerError},
    store::IdempotentRequest,
};

/// For how long a repeat is recognised, in seconds: 24 hours.
const KEPT_SECONDS: u32 = 24 * 3600;

/// A request that is to be done once.
pub struct Idempotent<'a, T> {
    /// What the caller calls it.
    pub key: IdempotencyKey,
    /// What it asks for: the same bytes whenever it asks for the same.
    pub request: Vec<u8>,
    /// Makes the answer, for repeats to get.
    pub answer: Box<dyn Fn(&T) -> KeptAnswer + Send + Sync + 'a>,
}

/// An answer as it is kept: bytes that mean nothing here. It holds a secret, so it does not print and is wiped when dropped.
pub struct KeptAnswer(Zeroizing<Vec<u8>>);

/// What came of a request that may be idempotent.
#[derive(Debug)]
pub enum Answered<T> {
    /// It is done.
    Now(T),
    /// It was done before, and this is the answer that it got. Nothing has changed.
    Before(KeptAnswer),
}

/// An idempotent request on its way through the store.
pub(super) struct Record {
    lock: AnswerLock,
    request: Vec<u8>,
    row: IdempotentRequest,
}

impl KeptAnswer {
    /// The answer with these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, a secret among them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeptAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptAnswer(..)")
    }
}

impl Authority {
    /// What the store is to keep of a request with which `done` is done at `now`: `caller` does `action` to `target`.
    /// `None`: it is not idempotent.
    pub(super) fn record<T>(
        &self,
        idempotent: Option<Idempotent<'_, T>>,
        caller: &Caller,
        (action, target): (Action, Option<ServiceAccountId>),
        done: &T,
        now: Timestamp,
    ) -> Result<Option<Record>, Unavailable> {
        let Some(Idempotent {
            key,
            request,
            answer,
        }) = idempotent
        else {
            return Ok(None);
        };
        // Of another caller, at another operation or for another account the same key means another request.
        let place = format!(
            "{} {} {} {}",
            caller.organization_id,
            caller.service_account_id,
            action.as_str(),
            target.map_or_else(String::new, |id| id.to_string()),
        );
        let lock = self.keys.idempotency.lock(&place, &key);
        let row = IdempotentRequest {
            id: lock.id(),
            sealed_answer: lock.seal(self.random()?, &request, answer(done).expose()),
            now,
            expires_at: now.plus_seconds(KEPT_SECONDS),
        };
        Ok(Some(Record { lock, request, row }))
    }
}

impl Record {
    pub(super) const fn row(&self) -> &IdempotentRequest {
        &self.row
    }

    /// What a repeat gets. `None`: under the same key something else was asked for.
    pub(super) fn open(
        record: Option<Self>,
        sealed_answer: Vec<u8>,
    ) -> Result<Option<KeptAnswer>, Unavailable> {
        // An answer that was not looked for opens with nothing.
        let Self { lock, request, .. } = record.ok_or(OpenAnswerError)?;
        // It is opened in place.
        let mut sealed_answer = Zeroizing::new(sealed_answer);
        let answer = lock.open(&request, &mut sealed_answer)?;
        Ok(answer.map(|bytes| KeptAnswer::new(bytes.to_vec())))
    }
}
