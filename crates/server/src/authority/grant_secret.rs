//! Which caller may receive a secret of which account.

use super::{caller::Caller, secret_change::SecretError, state::Authority};
use crate::domain::{MANAGEMENT_SCOPES, ServiceAccount, ServiceAccountId};

impl Authority {
    /// The account `id`, if the caller may receive a secret of it.
    ///
    /// A secret gives its holder the scopes of the account, so receiving one requires the same scopes as creating the
    /// account. For its own account the caller needs the management scopes alone: it holds the others anyway, though its
    /// token may have fewer scopes than the account.
    pub(super) async fn account_for_new_secret(
        &self,
        caller: &Caller,
        id: ServiceAccountId,
    ) -> Result<ServiceAccount, SecretError> {
        let account = self.get_service_account(caller, id).await?;
        let gained = if id == caller.service_account_id {
            account
                .scopes
                .filter(|scope| MANAGEMENT_SCOPES.contains(&scope))
        } else {
            account.scopes.clone()
        };
        let missing = caller.scopes.missing_to_grant(&gained);
        if missing.is_empty() {
            Ok(account)
        } else {
            Err(SecretError::MissingScopes(missing))
        }
    }
}
