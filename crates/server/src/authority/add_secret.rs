//! `add_secret`: a further secret for an account.

use super::{
    account_change::{Attempt, Judged, require},
    caller::Caller,
    idempotency::{Idempotent, OnceOutcome},
    issued_secret::IssuedSecret,
    list_secrets::ListedSecret,
    origin::Origin,
    secret_change::{SecretError, account_after, secrets_changed_once},
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
        let expires_at = expires_in_seconds.map(|seconds| now.plus_seconds(seconds));
        let mut change = self.change_account(caller, id, precondition);
        loop {
            let Judged {
                account,
                target,
                rights,
            } = change.read().await?;
            require(rights.missing_for_secret(&account))?;
            let creator = Some(caller.service_account_id);
            let (secret, stored) = self.new_secret(now, creator, expires_at)?;
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
            let outcome = self
                .once(idempotent.as_ref(), caller, operation, now, &added, write)
                .await?;
            let attempt = secrets_changed_once(outcome, SecretError::TooMany, added)?;
            if let Attempt::Done(done) = attempt {
                return Ok(done);
            }
        }
    }
}
