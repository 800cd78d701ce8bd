//! What all changes of an account share: the target of the change, and the version that the target must have.

use super::{
    caller::Caller,
    get_service_account::GetServiceAccountError,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
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
    /// The account does not have the required version.
    #[error("the service account has changed since it was read")]
    Stale,
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(ChangeError::Unavailable);

impl From<GetServiceAccountError> for ChangeError {
    fn from(error: GetServiceAccountError) -> Self {
        match error {
            GetServiceAccountError::NotFound => Self::NotFound,
            GetServiceAccountError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl Authority {
    /// The account `id` of the caller's organization as the target of a change. Without a precondition the account is not
    /// read.
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

/// `account` as the target of a change. The write checks the precondition, after it has checked whether the request was
/// carried out before.
pub(super) fn target_of(account: &ServiceAccount, precondition: &Precondition) -> Target {
    Target {
        organization: account.organization_id,
        id: account.id,
        version: precondition.version(account),
    }
}

/// Fails if the store did not find `target`.
pub(super) fn require_found(is_found: bool, target: Target) -> Result<(), ChangeError> {
    match (is_found, target.version) {
        (true, _) => Ok(()),
        (false, None) => Err(ChangeError::NotFound),
        // The account was read a moment ago, so its version must have changed.
        (false, Some(_)) => Err(ChangeError::Stale),
    }
}
