//! `update_service_account`: changes the fields of an account.

use super::{
    account_change::{Attempt, ChangeError, Judged, require},
    caller::Caller,
    get_service_account::GetServiceAccountError,
    grant_scopes::GrantScopesError,
    origin::Origin,
    state::Authority,
    unavailable::or_unavailable,
};
use crate::domain::{
    AccountPatch, Action, InvalidLabels, Precondition, ServiceAccount, ServiceAccountId,
    needs_other_administrator,
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
        let mut change = self.change_account(caller, id, precondition);
        loop {
            let Judged {
                account,
                target,
                rights,
            } = change.read().await?;
            let updated = patch.apply(&account, now)?;
            // Only scopes that the account did not hold before must exist.
            let gained = updated
                .scopes
                .filter(|scope| !account.scopes.contains(scope));
            let grantable = patch.grantable_scopes.clone().unwrap_or_default();
            self.check_scopes(caller, &gained, &updated.scopes, &grantable)
                .await??;
            require(rights.missing_to_update(&account, &updated))?;
            if !precondition.is_met(&account) {
                return Err(ChangeError::Stale.into());
            }
            if updated == account {
                return Ok(account);
            }
            let detail = updated.changes_since(&account);
            let action = Action::UpdateServiceAccount;
            let event = caller.event(origin, now, action, id.to_string(), detail);
            let keeps_administrator =
                needs_other_administrator(&account, Some(&updated), now).then_some(now);
            let written =
                self.store
                    .update_service_account(target, &updated, keeps_administrator, event);
            if let Attempt::Done(()) = Attempt::of(written.await?)? {
                return Ok(updated);
            }
        }
    }
}
