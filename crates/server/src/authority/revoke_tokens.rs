//! `revoke_tokens`: revokes all tokens of an account.

use super::{
    account_change::{ChangeError, require_found},
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
        let target = self.target(caller, id, precondition).await?;
        let action = Action::RevokeTokens;
        let event = caller.event(origin, now, action, id.to_string(), Vec::new());
        let is_found = self.store.revoke_tokens(target, now, event).await?;
        require_found(is_found, target)
    }
}
