//! `delete_secret`: revokes a secret of an account.

use super::{
    account_change::{Attempt, Judged, require},
    caller::Caller,
    origin::Origin,
    secret_change::{SecretError, secrets_changed},
    state::Authority,
};
use crate::domain::{
    Action, Precondition, SERVICE_ACCOUNTS_WRITE, SecretId, ServiceAccountId,
    needs_other_administrator,
};

impl Authority {
    /// Revokes a live secret of the account `id` immediately.
    pub async fn delete_secret(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        secret: SecretId,
        precondition: &Precondition,
    ) -> Result<(), SecretError> {
        let now = self.clock.now()?;
        let detail = vec![("secretId", secret.to_string())];
        let event = caller.event(origin, now, Action::DeleteSecret, id.to_string(), detail);
        let mut change = self.change_account(caller, id, precondition);
        loop {
            let Judged {
                account,
                target,
                rights,
            } = change.read().await?;
            // The scope for secrets alone is for accounts that the caller may empower.
            require(if rights.scopes.holds(SERVICE_ACCOUNTS_WRITE) {
                rights.missing_to_weaken(&account)
            } else {
                rights.missing_for_secret(&account)
            })?;
            let keeps_administrator = needs_other_administrator(&account, None, now).then_some(now);
            let event = event.clone();
            let written = self
                .store
                .delete_secret(target, secret, now, keeps_administrator, event);
            if let Attempt::Done(()) = secrets_changed(written.await?, SecretError::NoSecret)? {
                return Ok(());
            }
        }
    }
}
