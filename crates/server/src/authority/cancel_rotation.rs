//! `cancel_rotation`: undoes a rotation during its grace period.

use super::{
    caller::Caller,
    origin::Origin,
    secret_change::{SecretError, require_done},
    state::Authority,
};
use crate::domain::{Action, Precondition, ServiceAccount, ServiceAccountId};

impl Authority {
    /// Undoes the last rotation of the account `id` if its grace period has not ended: revokes the new secret and keeps the
    /// secrets that it was to replace. Returns the account after the change.
    pub async fn cancel_rotation(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        precondition: &Precondition,
    ) -> Result<ServiceAccount, SecretError> {
        let now = self.clock.now()?;
        let target = self.target(caller, id, precondition).await?;
        let action = Action::CancelRotation;
        let event = caller.event(origin, now, action, id.to_string(), Vec::new());
        let change = self.store.cancel_rotation(target, now, event).await?;
        require_done(change, target, SecretError::NoRotation)?;
        Ok(self.get_service_account(caller, id).await?)
    }
}
