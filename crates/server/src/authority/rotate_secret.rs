//! `rotate_secret`: a new secret in place of the live ones.

use super::{
    account_change::{Attempt, Judged, require},
    caller::Caller,
    idempotency::{Idempotent, OnceOutcome},
    issued_secret::IssuedSecret,
    origin::Origin,
    secret_change::{SecretError, account_after, secrets_changed_once},
    state::Authority,
};
use crate::{
    domain::{Action, Precondition, ServiceAccountId, StoredSecret},
    store::Rotation,
};

/// How to rotate a secret.
#[derive(Clone, Copy, Debug, Default)]
pub struct RotationRequest {
    /// How long the old secrets stay valid, in seconds. 0: they are revoked immediately.
    pub grace_period_seconds: u32,
    /// The lifetime of the new secret in seconds. `None`: it does not expire.
    pub expires_in_seconds: Option<u32>,
    /// Whether to revoke the tokens issued so far.
    pub revoke_tokens: bool,
}

impl Authority {
    /// Creates a secret for the account `id` and revokes its live secrets, immediately or after a grace period. Tokens
    /// issued so far stay valid unless the request revokes them.
    pub async fn rotate_secret(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        request: RotationRequest,
        precondition: &Precondition,
        idempotent: Option<Idempotent<'_, IssuedSecret>>,
    ) -> Result<OnceOutcome<IssuedSecret>, SecretError> {
        let now = self.clock.now()?;
        let max_grace = self.rotation.max_grace_period_seconds;
        if request.grace_period_seconds > max_grace {
            return Err(SecretError::TooMuchGrace(max_grace));
        }
        let expires_at = request
            .expires_in_seconds
            .map(|seconds| now.plus_seconds(seconds));
        let grace_until = Some(request.grace_period_seconds)
            .filter(|&seconds| seconds > 0)
            .map(|seconds| now.plus_seconds(seconds));
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
            let detail = detail(&stored, &request);
            let event = caller.event(origin, now, Action::RotateSecret, id.to_string(), detail);
            let rotation = Rotation {
                secret: stored,
                grace_until,
                revoke_tokens: request.revoke_tokens,
            };
            let issued = IssuedSecret {
                account: account_after(account, now),
                secret,
            };
            let operation = (Action::RotateSecret, Some(id));
            let write = async |record: Option<_>| {
                self.store
                    .rotate_secret(target, &rotation, now, event, record.as_ref())
                    .await
            };
            let outcome = self
                .once(idempotent.as_ref(), caller, operation, now, &issued, write)
                .await?;
            let attempt = secrets_changed_once(outcome, SecretError::TooMany, issued)?;
            if let Attempt::Done(done) = attempt {
                return Ok(done);
            }
        }
    }
}

/// The detail of the audit event.
fn detail(stored: &StoredSecret, request: &RotationRequest) -> Vec<(&'static str, String)> {
    let mut detail = Vec::new();
    if let Some(seconds) = request.expires_in_seconds {
        detail.push(("expiresInSeconds", seconds.to_string()));
    }
    if request.grace_period_seconds > 0 {
        let seconds = request.grace_period_seconds.to_string();
        detail.push(("gracePeriodSeconds", seconds));
    }
    detail.push(("hint", stored.hint.clone()));
    if request.revoke_tokens {
        detail.push(("revokeTokens", true.to_string()));
    }
    detail.push(("secretId", stored.id.to_string()));
    detail
}
