//! `update_service_account`: what is said of an account, and whether and for how long it is to be used.

use super::{
    Authority, Caller, ChangeError, GetServiceAccountError, GrantScopesError, Origin, Unavailable,
};
use crate::{
    domain::{AccountPatch, Action, InvalidLabels, Precondition, ServiceAccount, ServiceAccountId},
    store::Target,
};

/// Why an account is not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateServiceAccountError {
    /// Its scopes cannot be those.
    #[error(transparent)]
    Scopes(#[from] GrantScopesError),
    /// Its labels cannot be those.
    #[error(transparent)]
    Labels(#[from] InvalidLabels),
    /// As for every change of an account.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl From<GetServiceAccountError> for UpdateServiceAccountError {
    fn from(error: GetServiceAccountError) -> Self {
        Self::Change(error.into())
    }
}

impl From<Unavailable> for UpdateServiceAccountError {
    fn from(error: Unavailable) -> Self {
        Self::Change(error.into())
    }
}

impl Authority {
    /// Changes what `patch` says of the account `id` of the caller's organization, and answers the account as it is then. A
    /// patch that changes nothing is no change: it leaves no trace.
    pub async fn update_service_account(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        patch: &AccountPatch,
        precondition: &Precondition,
    ) -> Result<ServiceAccount, UpdateServiceAccountError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        // A patch is applied to what was read. If that has changed by the time it is written, somebody else's change was
        // made, and this one is tried on what he left.
        loop {
            let account = self.get_service_account(caller, id).await?;
            let updated = patch.apply(&account, now)?;
            // What it had already, nobody grants.
            let gained = updated
                .scopes
                .filter(|scope| !account.scopes.contains(scope));
            self.check_grant(caller, &gained, &updated.scopes)?;
            if !precondition.is_met(&account) {
                return Err(ChangeError::Stale.into());
            }
            if updated == account {
                return Ok(account);
            }
            let target = Target {
                organization: account.organization_id,
                id,
                version: Some(account.version),
            };
            let detail = updated.changes_since(&account);
            let action = Action::UpdateServiceAccount;
            let event = caller.event(origin, now, action, id.to_string(), detail);
            let is_updated = self
                .store
                .update_service_account(target, &updated, event)
                .await
                .map_err(Unavailable::from)?;
            if is_updated {
                return Ok(updated);
            }
        }
    }
}
