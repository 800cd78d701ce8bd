//! What all changes of an account's secrets share: their errors, and the account that they leave.

use super::{
    account_change::{Attempt, ChangeError},
    get_service_account::GetServiceAccountError,
    idempotency::{IdempotencyError, OnceOutcome},
    unavailable::or_unavailable,
};
use crate::{
    domain::{MAX_LIVE_SECRETS, ServiceAccount, Timestamp},
    store::AccountChange,
};

/// Why an account's secrets are not changed.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The account has no such live secret.
    #[error("the service account has no such live secret")]
    NoSecret,
    /// The account has the maximum number of live secrets.
    #[error("a service account may have at most {MAX_LIVE_SECRETS} live secrets")]
    TooMany,
    /// No rotation is in its grace period.
    #[error("no rotation is in progress")]
    NoRotation,
    /// The grace period is too long. The maximum, in seconds.
    #[error("the grace period may be at most {0} seconds")]
    TooMuchGrace(u32),
    /// The request was not carried out once.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The account is not changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

or_unavailable!(SecretError::Change);

impl From<GetServiceAccountError> for SecretError {
    fn from(error: GetServiceAccountError) -> Self {
        Self::Change(error.into())
    }
}

/// What became of a `change` of an account's secrets; it fails with `refused` if the secrets did not permit it.
pub(super) fn secrets_changed(
    change: AccountChange,
    refused: SecretError,
) -> Result<Attempt<()>, SecretError> {
    match change {
        AccountChange::Refused => Err(refused),
        change => Ok(Attempt::of(change)?),
    }
}

/// The same for a change that is carried out once, and returns `done`.
pub(super) fn secrets_changed_once<T>(
    outcome: OnceOutcome<AccountChange>,
    refused: SecretError,
    done: T,
) -> Result<Attempt<OnceOutcome<T>>, SecretError> {
    Ok(match outcome {
        OnceOutcome::Replayed(response) => Attempt::Done(OnceOutcome::Replayed(response)),
        OnceOutcome::Completed(change) => match secrets_changed(change, refused)? {
            Attempt::Done(()) => Attempt::Done(OnceOutcome::Completed(done)),
            Attempt::Overtaken => Attempt::Overtaken,
        },
    })
}

/// `account` after a change of its secrets at `now`.
pub(super) fn account_after(account: ServiceAccount, now: Timestamp) -> ServiceAccount {
    ServiceAccount {
        updated_at: now,
        version: account.version + 1,
        ..account
    }
}
