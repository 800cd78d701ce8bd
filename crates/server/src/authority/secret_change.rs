//! What all changes of an account's secrets share: their errors, and the account that they leave.

use super::{
    account_change::{ChangeError, require_found},
    get_service_account::GetServiceAccountError,
    idempotency::IdempotencyError,
    unavailable::or_unavailable,
};
use crate::{
    domain::{MAX_LIVE_SECRETS, ServiceAccount, Timestamp},
    store::{SecretsChange, Target},
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
    /// The secret would give the caller these scopes, which the caller lacks.
    #[error("the caller lacks the scopes {0:?}")]
    MissingScopes(Vec<String>),
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

/// Fails if the store did not make the `change` of `target`; with `refused` if the secrets did not permit it.
pub(super) fn require_done(
    change: SecretsChange,
    target: Target,
    refused: SecretError,
) -> Result<(), SecretError> {
    match change {
        SecretsChange::Done => Ok(()),
        SecretsChange::NoAccount => Ok(require_found(false, target)?),
        SecretsChange::Refused => Err(refused),
    }
}

/// `account` after a change of its secrets at `now`.
pub(super) fn account_after(account: ServiceAccount, now: Timestamp) -> ServiceAccount {
    ServiceAccount {
        updated_at: now,
        version: account.version + 1,
        ..account
    }
}
