//! Requests that are carried out once, however often they arrive: a repeat gets the recorded response.

use std::fmt;

use zeroize::Zeroizing;

use super::{
    caller::Caller,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::{
    domain::{Action, IdempotencyKey, ServiceAccountId, Timestamp},
    keys::OpenResponseError,
    store::{IdempotentRequest, Once, StoreError},
};

/// How long a repeat is recognized, in seconds: 24 hours.
const RECORDED_SECONDS: u32 = 24 * 3600;

/// A request that is carried out once.
pub struct Idempotent<'a, T> {
    /// The name that the caller gave to the request.
    pub key: IdempotencyKey,
    /// The content of the request. Requests with the same meaning have the same bytes.
    pub request: Vec<u8>,
    /// Makes the response that is recorded for repeats.
    pub response: Box<dyn Fn(&T) -> RecordedResponse + Send + Sync + 'a>,
    /// The account whose secret is in a recorded response. `None`: the response cannot be read.
    pub account_in: fn(&RecordedResponse) -> Option<ServiceAccountId>,
}

/// A recorded response. Its bytes have no meaning here. They contain a secret, so `Debug` hides them and the memory is
/// wiped on drop.
pub struct RecordedResponse(Zeroizing<Vec<u8>>);

/// The outcome of a request that may be idempotent.
#[derive(Debug)]
pub enum OnceOutcome<T> {
    /// The request was carried out now.
    Completed(T),
    /// The request was carried out before, and got this response. Nothing changed now.
    Replayed(RecordedResponse),
}

/// Why a request was not carried out once.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// The caller used the key for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(IdempotencyError::Unavailable);

impl RecordedResponse {
    /// The response with these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, which contain a secret.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RecordedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordedResponse(..)")
    }
}

impl Authority {
    /// Carries out `write` once: unless `caller` sent the same `idempotent` request before, `operation` being its action
    /// and the account that it changes. `None`: the request is not idempotent.
    ///
    /// `done` is what the request returns when it succeeds; the recorded response is made from it. `write` writes the change
    /// and the record in one transaction.
    pub(super) async fn once<T, W>(
        &self,
        idempotent: Option<&Idempotent<'_, T>>,
        caller: &Caller,
        operation: (Action, Option<ServiceAccountId>),
        now: Timestamp,
        done: &T,
        write: impl AsyncFnOnce(Option<IdempotentRequest>) -> Result<Once<W>, StoreError>,
    ) -> Result<OnceOutcome<W>, IdempotencyError> {
        let Some(Idempotent {
            key,
            request,
            response,
            ..
        }) = idempotent
        else {
            return match write(None).await? {
                Once::Now(written) => Ok(OnceOutcome::Completed(written)),
                // Without a key nothing opens a recorded response.
                Once::Before(_) => Err(OpenResponseError.into()),
            };
        };
        let lock = self
            .keys
            .data
            .idempotency
            .lock(&place(caller, operation), key);
        let record = IdempotentRequest {
            id: lock.id(),
            sealed_answer: lock.seal(self.random()?, request, response(done).expose()),
            now,
            expires_at: now.plus_seconds(RECORDED_SECONDS),
        };
        match write(Some(record)).await? {
            Once::Now(written) => Ok(OnceOutcome::Completed(written)),
            Once::Before(sealed) => {
                // It is opened in place.
                let mut sealed = Zeroizing::new(sealed);
                lock.open(request, &mut sealed)?
                    .map(|response| RecordedResponse::new(response.to_vec()))
                    .map(OnceOutcome::Replayed)
                    .ok_or(IdempotencyError::KeyReused)
            }
        }
    }
}

/// The scope of a key: the same key of another caller, for another operation or another account names another request.
fn place(caller: &Caller, (action, account): (Action, Option<ServiceAccountId>)) -> String {
    format!(
        "{} {} {} {}",
        caller.organization_id,
        caller.service_account_id,
        action.as_str(),
        account.map_or_else(String::new, |id| id.to_string()),
    )
}
