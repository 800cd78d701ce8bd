//! `delete_service_account`: deletes an account with its secrets and tokens.

use super::{
    account_change::{Attempt, ChangeError, Judged, require},
    caller::Caller,
    origin::Origin,
    state::Authority,
};
use crate::domain::{Action, Precondition, ServiceAccountId, needs_other_administrator};

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
        let action = Action::DeleteServiceAccount;
        let event = caller.event(origin, now, action, id.to_string(), Vec::new());
        let mut change = self.change_account(caller, id, precondition);
        loop {
            let Judged {
                account,
                target,
                rights,
            } = change.read().await?;
            require(rights.missing_to_weaken(&account))?;
            let keeps_administrator = needs_other_administrator(&account, None, now).then_some(now);
            let written =
                self.store
                    .delete_service_account(target, keeps_administrator, event.clone());
            if let Attempt::Done(()) = Attempt::of(written.await?)? {
                return Ok(());
            }
        }
    }
}
