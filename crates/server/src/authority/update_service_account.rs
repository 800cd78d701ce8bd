//! `update_service_account`: changes the settings of an account.

use super::{
    Authority, Caller, ChangeError, GetServiceAccountError, GrantScopesError, Origin, Unavailable,
};
use crate::{
    domain::{AccountPatch, Action, InvalidLabels, Precondition, ServiceAccount, ServiceAccountId},
    store::Target,
};

/// Why an account was not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateServiceAccountError {
    /// The caller may not grant these scopes.
    #[error(transparent)]
    Scopes(#[from] GrantScopesError),
    /// The labels break a rule.
    #[error(transparent)]
    Labels(#[from] InvalidLabels),
    /// Any change of an account can fail like this.
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
    /// Applies `patch` to the account `id` of the caller's organization and returns the account after it. A patch that changes
    /// no value writes nothing, not even an audit event.
    pub async fn update_service_account(
        &self,
        caller: &Caller,
        origin: &Origin,
        id: ServiceAccountId,
        patch: &AccountPatch,
        precondition: &Precondition,
    ) -> Result<ServiceAccount, UpdateServiceAccountError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        // If another change is written between reading and writing, the patch is applied again to its outcome.
        loop {
            let account = self.get_service_account(caller, id).await?;
            let updated = patch.apply(&account, now)?;
            // The caller needs to hold only the scopes that the account does not have yet.
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
