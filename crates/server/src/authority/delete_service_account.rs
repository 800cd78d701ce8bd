//! `delete_service_account`: deletes an account with its secrets and tokens.

use super::{
    account_change::{ChangeError, require_found},
    caller::Caller,
    origin::Origin,
    state::Authority,
};
use crate::domain::{Action, Precondition, ServiceAccountId};

impl Authority {
    /// Deletes the account `id` for good. Its secrets and tokens are invalid from then on, on every node.
    pub async fn delete_service_account(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        precondition: &Precondition,
    ) -> Result<(), ChangeError> {
        let now = self.clock.now()?;
        let target = self.target(caller, id, precondition).await?;
        let action = Action::DeleteServiceAccount;
        let event = caller.event(origin, now, action, id.to_string(), Vec::new());
        let is_found = self.store.delete_service_account(target, event).await?;
        require_found(is_found, target)
    }
}
