//! What every change of an account has in common: which account it is for, and in which state that must be.

use super::{Authority, Caller, GetServiceAccountError, Unavailable};
use crate::{
    domain::{Precondition, ServiceAccount, ServiceAccountId},
    store::Target,
};

/// Why an account is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The caller's organization has no such account.
    #[error("there is no such service account")]
    NotFound,
    /// It is not in a state for which the change is meant.
    #[error("the service account has changed since")]
    Stale,
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<GetServiceAccountError> for ChangeError {
    fn from(error: GetServiceAccountError) -> Self {
        match error {
            GetServiceAccountError::NotFound => Self::NotFound,
            GetServiceAccountError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl Authority {
    /// The account `id` of the caller's organization as the target of a change. Without a precondition nothing is read.
    pub(super) async fn target(
        &self,
        caller: &Caller,
        id: ServiceAccountId,
        precondition: &Precondition,
    ) -> Result<Target, ChangeError> {
        if *precondition == Precondition::None {
            return Ok(Target {
                organization: caller.organization_id,
                id,
                version: None,
            });
        }
        let account = self.get_service_account(caller, id).await?;
        Ok(target_of(&account, precondition))
    }
}

/// `account` as the target of a change. Whether it is in a state for which the change is meant shows in the write, together
/// with whether the change has been made already.
pub(super) fn target_of(account: &ServiceAccount, precondition: &Precondition) -> Target {
    Target {
        organization: account.organization_id,
        id: account.id,
        version: precondition.version(account),
    }
}

/// Why the store found nothing where `target` should have been.
pub(super) fn missed(target: Target) -> ChangeError {
    match target.version {
        None => ChangeError::NotFound,
        // It was there a moment ago.
        Some(_) => ChangeError::Stale,
    }
}
