//! `list_secrets`: the secrets of an account, without their clear text.

use super::{
    account_change::require, caller::Caller, secret_change::SecretError, state::Authority,
};
use crate::domain::{SERVICE_ACCOUNTS_READ, SecretState, ServiceAccountId, StoredSecret};

/// A secret in a list.
#[derive(Clone, Debug)]
pub struct ListedSecret {
    /// The stored secret.
    pub secret: StoredSecret,
    /// The state of the secret.
    pub state: SecretState,
    /// Whether revoking the secret should affect nobody.
    pub safe_to_revoke: bool,
}

impl Authority {
    /// The secrets of the account `id` that are live or ended in the last 30 days, newest first. A caller who may not read
    /// accounts must be one who may receive a secret of this one.
    pub async fn list_secrets(
        &self,
        caller: &Caller,
        id: ServiceAccountId,
    ) -> Result<Vec<ListedSecret>, SecretError> {
        let now = self.clock.now()?;
        let account = self.get_service_account(caller, id).await?;
        if !caller.scopes.holds(SERVICE_ACCOUNTS_READ) {
            require(self.rights(caller).await?.missing_for_secret(&account))?;
        }
        let secrets = self
            .store
            .list_secrets(caller.organization_id, id, now)
            .await?;
        let quiet_seconds = self.rotation.safe_to_revoke_after_seconds;
        let listed = secrets.iter().map(|secret| ListedSecret {
            secret: secret.clone(),
            state: secret.state(now),
            safe_to_revoke: secret.is_safe_to_revoke(&secrets, now, quiet_seconds),
        });
        Ok(listed.collect())
    }
}
