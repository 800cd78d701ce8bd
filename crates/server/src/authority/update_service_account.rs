//! `update_service_account`: changes the fields of an account.

use super::{
    account_change::ChangeError, caller::Caller, get_service_account::GetServiceAccountError,
    grant_scopes::GrantScopesError, origin::Origin, state::Authority, unavailable::or_unavailable,
};
use crate::{
    domain::{AccountPatch, Action, InvalidLabels, Precondition, ServiceAccount, ServiceAccountId},
    store::Target,
};

/// Why an account was not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateServiceAccountError {
    /// The account cannot have these scopes.
    #[error(transparent)]
    Scopes(#[from] GrantScopesError),
    /// The account cannot have these labels.
    #[error(transparent)]
    Labels(#[from] InvalidLabels),
    /// The account is not changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

or_unavailable!(UpdateServiceAccountError::Change);

impl From<GetServiceAccountError> for UpdateServiceAccountError {
    fn from(error: GetServiceAccountError) -> Self {
        Self::Change(error.into())
    }
}

impl Authority {
    /// Applies `patch` to the account `id` of the caller's organization, and returns the account after the change. A patch
    /// that changes nothing writes nothing and leaves no audit event.
    pub async fn update_service_account(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        patch: &AccountPatch,
        precondition: &Precondition,
    ) -> Result<ServiceAccount, UpdateServiceAccountError> {
        let now = self.clock.now()?;
        // The patch is applied to the account as it was read. If another change is written first, it is applied again to the
        // result of that.
        loop {
            let account = self.get_service_account(caller, id).await?;
            let updated = patch.apply(&account, now)?;
            // Only scopes that the account did not hold before are granted.
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
                .await?;
            if is_updated {
                return Ok(updated);
            }
        }
    }
}
