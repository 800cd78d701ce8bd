//! `list_secrets`, `add_secret`, `delete_secret` and `revoke_tokens`: an account's secrets one by one, and its tokens.

use super::{
    Answered, Authority, Caller, ChangeError, GetServiceAccountError, Idempotent,
    IssuedCredentials, Origin, Unavailable,
    change::{missed, target_of},
    idempotency::Record,
};
use crate::{
    domain::{
        Action, MAX_LIVE_SECRETS, Precondition, SecretId, SecretState, ServiceAccount,
        ServiceAccountId, StoredSecret, Timestamp,
    },
    store::{Once, SecretsChange, Target},
};

/// A secret as it is listed.
#[derive(Clone, Debug)]
pub struct ListedSecret {
    /// The secret, without the secret.
    pub secret: StoredSecret,
    /// Where it is in its life.
    pub state: SecretState,
    /// Whether it can be ended without anybody noticing.
    pub safe_to_revoke: bool,
}

/// What adding a secret answers: the secret in clear, once, and as it will be listed.
#[derive(Clone, Debug)]
pub struct AddedSecret {
    /// The account with its new secret.
    pub issued: IssuedCredentials,
    /// The secret as it will be listed.
    pub listed: ListedSecret,
}

/// Why an account's secrets are not changed.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The account has no such living secret.
    #[error("the service account has no such living secret")]
    NoSecret,
    /// The account has as many living secrets as it may have.
    #[error("an account may have at most {MAX_LIVE_SECRETS} living secrets; end one first")]
    TooMany,
    /// There is nothing to cancel.
    #[error("no rotation is under way")]
    NoRotation,
    /// A secret would give the caller what he does not hold; these are the scopes that he lacks.
    #[error("the caller lacks the scopes {0:?}")]
    MissingScopes(Vec<String>),
    /// The caller used the key for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// As for every change of an account.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl From<GetServiceAccountError> for SecretError {
    fn from(error: GetServiceAccountError) -> Self {
        Self::Change(error.into())
    }
}

impl From<Unavailable> for SecretError {
    fn from(error: Unavailable) -> Self {
        Self::Change(error.into())
    }
}

impl Authority {
    /// The account's secrets that live or ended in the last 30 days, newest first.
    pub async fn list_secrets(
        &self,
        caller: &Caller,
        id: ServiceAccountId,
    ) -> Result<Vec<ListedSecret>, SecretError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        self.get_service_account(caller, id).await?;
        let secrets = self
            .store
            .list_secrets(caller.organization_id, id, now)
            .await
            .map_err(Unavailable::from)?;
        let quiet_seconds = self.rotation.safe_to_revoke_after_seconds;
        let listed = secrets.iter().map(|secret| ListedSecret {
            secret: secret.clone(),
            state: secret.state(now),
            safe_to_revoke: secret.is_safe_to_revoke(&secrets, now, quiet_seconds),
        });
        Ok(listed.collect())
    }

    /// Gives the account a further secret beside those that live.
    pub async fn add_secret(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        expires_in_seconds: Option<u32>,
        precondition: &Precondition,
        idempotent: Option<Idempotent<'_, AddedSecret>>,
    ) -> Result<Answered<AddedSecret>, SecretError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let account = self.account_to_get_a_secret_of(caller, id).await?;
        let target = target_of(&account, precondition);
        let expires_at = expires_in_seconds.map(|seconds| now.plus_seconds(seconds));
        let (secret, stored) = self
            .new_secret(now, Some(caller.service_account_id), expires_at)
            .map_err(Unavailable::from)?;
        let mut detail = vec![
            ("hint", stored.hint.clone()),
            ("secretId", stored.id.to_string()),
        ];
        if let Some(seconds) = expires_in_seconds {
            detail.insert(0, ("expiresInSeconds", seconds.to_string()));
        }
        let event = caller.event(origin, now, Action::AddSecret, id.to_string(), detail);
        let added = AddedSecret {
            issued: IssuedCredentials {
                account: touched(account, now),
                secret,
            },
            listed: ListedSecret {
                state: stored.state(now),
                safe_to_revoke: false,
                secret: stored,
            },
        };
        let operation = (Action::AddSecret, Some(id));
        let record = self.record(idempotent, caller, operation, &added, now)?;
        let row = record.as_ref().map(Record::row);
        let stored = &added.listed.secret;
        let change = self
            .store
            .add_secret(target, stored, now, event, row)
            .await
            .map_err(Unavailable::from)?;
        match change {
            Once::Now(change) => {
                settled(change, target, SecretError::TooMany)?;
                Ok(Answered::Now(added))
            }
            Once::Before(answer) => Record::open(record, answer)?
                .map(Answered::Before)
                .ok_or(SecretError::KeyReused),
        }
    }

    /// Ends one living secret of the account at once.
    pub async fn delete_secret(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        secret: SecretId,
        precondition: &Precondition,
    ) -> Result<(), SecretError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let target = self.target(caller, id, precondition).await?;
        let detail = vec![("secretId", secret.to_string())];
        let event = caller.event(origin, now, Action::DeleteSecret, id.to_string(), detail);
        let change = self
            .store
            .delete_secret(target, secret, now, event)
            .await
            .map_err(Unavailable::from)?;
        settled(change, target, SecretError::NoSecret)
    }

    /// Ends every token issued to the account so far, and nothing else.
    pub async fn revoke_tokens(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        id: ServiceAccountId,
        precondition: &Precondition,
    ) -> Result<(), ChangeError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let target = self.target(caller, id, precondition).await?;
        let action = Action::RevokeTokens;
        let event = caller.event(origin, now, action, id.to_string(), Vec::new());
        let revoked = self
            .store
            .revoke_tokens(target, now, event)
            .await
            .map_err(Unavailable::from)?;
        revoked.then_some(()).ok_or_else(|| missed(target))
    }
}

/// What came of a change to `target`; `refused`, if its secrets are not as the change needs them.
pub(super) fn settled(
    change: SecretsChange,
    target: Target,
    refused: SecretError,
) -> Result<(), SecretError> {
    match change {
        SecretsChange::Done => Ok(()),
        SecretsChange::NoAccount => Err(missed(target).into()),
        SecretsChange::Refused => Err(refused),
    }
}

/// The account that was read, as a change of its secrets at `now` leaves it.
pub(super) fn touched(account: ServiceAccount, now: Timestamp) -> ServiceAccount {
    ServiceAccount {
        updated_at: now,
        version: account.version + 1,
        ..account
    }
}
