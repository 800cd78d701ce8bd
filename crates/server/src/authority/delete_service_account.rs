//! `delete_service_account`: deletes an account.

use super::{Authority, Caller, ChangeError, Origin, Unavailable, change::missed};
use crate::domain::{Action, Precondition, ServiceAccountId};

impl Authority {
    /// Deletes an account permanently. From then on its secrets are invalid and its tokens inactive, on every node.
    pub async fn delete_service_account(
        &self,
        caller: &Caller,
        origin: &Origin,
        id: ServiceAccountId,
        precondition: &Precondition,
    ) -> Result<(), ChangeError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let target = self.target(caller, id, precondition).await?;
        let action = Action::DeleteServiceAccount;
        let event = caller.event(origin, now, action, id.to_string(), Vec::new());
        let deleted = self
            .store
            .delete_service_account(target, event)
            .await
            .map_err(Unavailable::from)?;
        deleted.then_some(()).ok_or_else(|| missed(target))
    }
}
