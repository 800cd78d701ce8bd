//! `rotate_secret`, and `cancel_rotation`, which takes it back.

use super::{
    Answered, Authority, Caller, Idempotent, IssuedCredentials, Origin, Unavailable,
    change::target_of,
    idempotency::Record,
    secrets::{SecretError, settled, touched},
};
use crate::{
    domain::{
        Action, MANAGEMENT_SCOPES, Precondition, ServiceAccount, ServiceAccountId, StoredSecret,
    },
    store::{Once, Rotation},
};

/// How a secret is to be rotated.
#[derive(Clone, Copy, Debug, Default)]
pub struct RotationRequest {
    /// How long the old secrets live on, in seconds. 0: they end now.
    pub grace_period_seconds: u32,
    /// How long the new secret is to live, in seconds. `None`: it does not expire.
    pub expires_in_seconds: Option<u32>,
    /// Whether the tokens issued so far end as well.
    pub revoke_tokens: bool,
}

/// Why a secret is not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateSecretError {
    /// More grace than is allowed; the most, in seconds.
    #[error("the grace period may be at most {0} seconds")]
    TooMuchGrace(u32),
    /// As for every change of an account's secrets.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl From<Unavailable> for RotateSecretError {
    fn from(error: Unavailable) -> Self {
        Self::Secret(error.into())
    }
}

impl Authority {
    /// Gives the account a new secret in place of the old ones, which end now or after a grace. Tokens already issued live
    /// on unless asked otherwise.
    pub async fn rotate_secret(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        request: RotationRequest,
        precondition: &Precondition,
        idempotent: Option<Idempotent<'_, IssuedCredentials>>,
    ) -> Result<Answered<IssuedCredentials>, RotateSecretError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let most = self.rotation.max_grace_period_seconds;
        if request.grace_period_seconds > most {
            return Err(RotateSecretError::TooMuchGrace(most));
        }
        let account = self.account_to_get_a_secret_of(caller, id).await?;
        let target = target_of(&account, precondition);
        let expires_at = request
            .expires_in_seconds
            .map(|seconds| now.plus_seconds(seconds));
        let (secret, stored) = self
            .new_secret(now, Some(caller.service_account_id), expires_at)
            .map_err(Unavailable::from)?;
        let grace_until = Some(request.grace_period_seconds)
            .filter(|&seconds| seconds > 0)
            .map(|seconds| now.plus_seconds(seconds));
        let event = caller.event(
            origin,
            now,
            Action::RotateSecret,
            id.to_string(),
            rotation_detail(&stored, &request),
        );
        let rotation = Rotation {
            secret: stored,
            grace_until,
            revoke_tokens: request.revoke_tokens,
        };
        let issued = IssuedCredentials {
            account: touched(account, now),
            secret,
        };
        let operation = (Action::RotateSecret, Some(id));
        let record = self.record(idempotent, caller, operation, &issued, now)?;
        let row = record.as_ref().map(Record::row);
        let change = self
            .store
            .rotate_secret(target, &rotation, now, event, row)
            .await
            .map_err(Unavailable::from)?;
        match change {
            Once::Now(change) => {
                settled(change, target, SecretError::TooMany)?;
                Ok(Answered::Now(issued))
            }
            Once::Before(answer) => Record::open(record, answer)?
                .map(Answered::Before)
                .ok_or(SecretError::KeyReused.into()),
        }
    }

    /// Takes back the rotation whose grace has not ended: the secret that it made ends, and those that were to retire live
    /// on as before.
    pub async fn cancel_rotation(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        precondition: &Precondition,
    ) -> Result<ServiceAccount, SecretError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let target = self.target(caller, id, precondition).await?;
        let event = caller.event(
            origin,
            now,
            Action::CancelRotation,
            id.to_string(),
            Vec::new(),
        );
        let change = self
            .store
            .cancel_rotation(target, now, event)
            .await
            .map_err(Unavailable::from)?;
        settled(change, target, SecretError::NoRotation)?;
        Ok(self.get_service_account(caller, id).await?)
    }

    /// The account `id`, if the caller may get a secret of it.
    ///
    /// Whoever gets a secret gets what it is good for, so he needs what it takes to create such an account; of itself an
    /// account gets only what it has, so there the management scopes alone count (a token may have fewer than its account).
    pub(super) async fn account_to_get_a_secret_of(
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

fn rotation_detail(
    stored: &StoredSecret,
    request: &RotationRequest,
) -> Vec<(&'static str, String)> {
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
