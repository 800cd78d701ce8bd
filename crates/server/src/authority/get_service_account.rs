//! `get_service_account`: reads one account.

use super::{Authority, Caller, Unavailable};
use crate::domain::{ServiceAccount, ServiceAccountId};

/// Why an account was not returned.
#[derive(Debug, thiserror::Error)]
pub enum GetServiceAccountError {
    /// The caller's organization has no such account.
    #[error("there is no such service account")]
    NotFound,
    /// The operation could not be done.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Authority {
    /// Returns the account `id` of the caller's organization.
    pub async fn get_service_account(
        &self,
        caller: &Caller,
        id: ServiceAccountId,
    ) -> Result<ServiceAccount, GetServiceAccountError> {
        self.store
            .find_service_account(caller.organization_id, id)
            .await
            .map_err(Unavailable::from)?
            .ok_or(GetServiceAccountError::NotFound)
    }
}
