//! `rotate_secret`.

use super::{Authority, Caller, GetServiceAccountError, IssuedCredentials, Origin, Unavailable};
use crate::domain::{Action, MANAGEMENT_SCOPES, ServiceAccountId};

/// Why a secret is not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateSecretError {
    /// The caller's organization has no such account.
    #[error("there is no such service account")]
    NotFound,
    /// The new secret would give the caller what he does not hold; these are the scopes that he lacks.
    #[error("the caller lacks the scopes {0:?}")]
    MissingScopes(Vec<String>),
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<GetServiceAccountError> for RotateSecretError {
    fn from(error: GetServiceAccountError) -> Self {
        match error {
            GetServiceAccountError::NotFound => Self::NotFound,
            GetServiceAccountError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl Authority {
    /// Ends the account's secrets and gives it a new one. Tokens already issued live on.
    ///
    /// Whoever rotates learns a secret, so he needs what it takes to create such an account; of itself an account learns
    /// only what it has, so there the management scopes alone count (a token may have fewer than its account).
    pub async fn rotate_secret(
        &self,
        caller: &Caller,
        origin: &Origin,
        id: ServiceAccountId,
    ) -> Result<IssuedCredentials, RotateSecretError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let mut account = self.get_service_account(caller, id).await?;
        let gained = if id == caller.service_account_id {
            account
                .scopes
                .filter(|scope| MANAGEMENT_SCOPES.contains(&scope))
        } else {
            account.scopes.clone()
        };
        let missing = caller.scopes.missing_to_grant(&gained);
        if !missing.is_empty() {
            return Err(RotateSecretError::MissingScopes(missing));
        }

        let (secret, stored) = self.new_secret(now).map_err(Unavailable::from)?;
        let event = caller.event(
            origin,
            now,
            Action::RotateSecret,
            id.to_string(),
            vec![("hint", stored.hint.clone())],
        );
        let rotated = self
            .store
            .rotate_secret(caller.organization_id, id, &stored, now, event)
            .await
            .map_err(Unavailable::from)?;
        if !rotated {
            return Err(RotateSecretError::NotFound);
        }
        account.updated_at = now;
        Ok(IssuedCredentials { account, secret })
    }
}
