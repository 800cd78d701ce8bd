//! `add_secret`: a further secret for an account.

use super::{
    account_change::target_of,
    caller::Caller,
    idempotency::{Idempotent, OnceOutcome},
    issued_secret::IssuedSecret,
    list_secrets::ListedSecret,
    origin::Origin,
    secret_change::{SecretError, account_after, require_done},
    state::Authority,
};
use crate::domain::{Action, Precondition, ServiceAccountId};

/// The result of adding a secret.
#[derive(Clone, Debug)]
pub struct AddedSecret {
    /// The account and the secret in clear text.
    pub issued: IssuedSecret,
    /// The secret as `list_secrets` shows it.
    pub listed: ListedSecret,
}

impl Authority {
    /// Adds a secret to the live secrets of the account `id`. Without `expires_in_seconds` the secret does not expire.
    pub async fn add_secret(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        expires_in_seconds: Option<u32>,
        precondition: &Precondition,
        idempotent: Option<Idempotent<'_, AddedSecret>>,
    ) -> Result<OnceOutcome<AddedSecret>, SecretError> {
        let now = self.clock.now()?;
        let account = self.account_for_new_secret(caller, id).await?;
        let target = target_of(&account, precondition);
        let expires_at = expires_in_seconds.map(|seconds| now.plus_seconds(seconds));
        let (secret, stored) = self.new_secret(now, Some(caller.service_account_id), expires_at)?;
        let mut detail = vec![
            ("hint", stored.hint.clone()),
            ("secretId", stored.id.to_string()),
        ];
        if let Some(seconds) = expires_in_seconds {
            detail.insert(0, ("expiresInSeconds", seconds.to_string()));
        }
        let event = caller.event(origin, now, Action::AddSecret, id.to_string(), detail);
        let added = AddedSecret {
            issued: IssuedSecret {
                account: account_after(account, now),
                secret,
            },
            listed: ListedSecret {
                state: stored.state(now),
                safe_to_revoke: false,
                secret: stored,
            },
        };
        let operation = (Action::AddSecret, Some(id));
        let write = async |record: Option<_>| {
            let stored = &added.listed.secret;
            self.store
                .add_secret(target, stored, now, event, record.as_ref())
                .await
        };
        self.once(idempotent, caller, operation, now, &added, write)
            .await?
            .try_map(|change| require_done(change, target, SecretError::TooMany))?
            .try_map(|()| Ok(added))
    }
}
