//! `delete_secret`: revokes a secret of an account.

use super::{
    caller::Caller,
    origin::Origin,
    secret_change::{SecretError, require_done},
    state::Authority,
};
use crate::domain::{Action, Precondition, SecretId, ServiceAccountId};

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
        let target = self.target(caller, id, precondition).await?;
        let detail = vec![("secretId", secret.to_string())];
        let event = caller.event(origin, now, Action::DeleteSecret, id.to_string(), detail);
        let change = self.store.delete_secret(target, secret, now, event).await?;
        require_done(change, target, SecretError::NoSecret)
    }
}
