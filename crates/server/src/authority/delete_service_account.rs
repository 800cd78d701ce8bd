//! `delete_service_account`.

use super::{Authority, Caller, Origin, Unavailable};
use crate::domain::{Action, ServiceAccountId};

/// Why an account is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteServiceAccountError {
    /// The caller's organization has no such account.
    #[error("there is no such service account")]
    NotFound,
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Authority {
    /// Deletes an account for good. Its secrets and all its tokens are dead from then on, on every node.
    pub async fn delete_service_account(
        &self,
        caller: &Caller,
        origin: &Origin,
        id: ServiceAccountId,
    ) -> Result<(), DeleteServiceAccountError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let event = caller.event(
            origin,
            now,
            Action::DeleteServiceAccount,
            id.to_string(),
            Vec::new(),
        );
        let deleted = self
            .store
            .delete_service_account(caller.organization_id, id, event)
            .await
            .map_err(Unavailable::from)?;
        deleted
            .then_some(())
            .ok_or(DeleteServiceAccountError::NotFound)
    }
}
