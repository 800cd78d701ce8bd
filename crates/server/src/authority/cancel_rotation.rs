//! `cancel_rotation`: undoes a rotation during its grace period.

use super::{
    account_change::{Attempt, Judged, require},
    caller::Caller,
    origin::Origin,
    secret_change::{SecretError, secrets_changed},
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
        let action = Action::CancelRotation;
        let event = caller.event(origin, now, action, id.to_string(), Vec::new());
        let mut change = self.change_account(caller, id, precondition);
        loop {
            let Judged {
                account,
                target,
                rights,
            } = change.read().await?;
            require(rights.missing_for_secret(&account))?;
            let written = self.store.cancel_rotation(target, now, event.clone());
            if let Attempt::Done(()) = secrets_changed(written.await?, SecretError::NoRotation)? {
                return Ok(self.get_service_account(caller, id).await?);
            }
        }
    }
}
