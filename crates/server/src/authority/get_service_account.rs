//! `get_service_account`: reads an account.

use super::{
    caller::Caller,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::domain::{ServiceAccount, ServiceAccountId};

/// Why an account is not returned.
#[derive(Debug, thiserror::Error)]
pub enum GetServiceAccountError {
    /// The caller's organization has no such account.
    #[error("there is no such service account")]
    NotFound,
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(GetServiceAccountError::Unavailable);

impl Authority {
    /// Returns the account `id` of the caller's organization.
    pub async fn get_service_account(
        &self,
        caller: &Caller,
        id: ServiceAccountId,
    ) -> Result<ServiceAccount, GetServiceAccountError> {
        self.store
            .find_service_account(caller.organization_id, id)
            .await?
            .ok_or(GetServiceAccountError::NotFound)
    }
}
