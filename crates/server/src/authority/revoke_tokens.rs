//! `revoke_tokens`: revokes all tokens of an account.

use super::{
    account_change::{Attempt, ChangeError, Judged, require},
    caller::Caller,
    origin::Origin,
    state::Authority,
};
use crate::domain::{Action, Precondition, ServiceAccountId};

impl Authority {
    /// Revokes every token issued to the account `id` so far. Its secrets stay valid.
    pub async fn revoke_tokens(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        precondition: &Precondition,
    ) -> Result<(), ChangeError> {
        let now = self.clock.now()?;
        let action = Action::RevokeTokens;
        let event = caller.event(origin, now, action, id.to_string(), Vec::new());
        let mut change = self.change_account(caller, id, precondition);
        loop {
            let Judged {
                account,
                target,
                rights,
            } = change.read().await?;
            require(rights.missing_to_weaken(&account))?;
            let written = self.store.revoke_tokens(target, now, event.clone());
            if let Attempt::Done(()) = Attempt::of(written.await?)? {
                return Ok(());
            }
        }
    }
}
