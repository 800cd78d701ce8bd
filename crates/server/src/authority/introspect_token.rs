//! `introspect_token`: what a token says, if it lives (RFC 7662).

use super::{AuthenticateClientError, Authority, Origin, PresentedCredentials, Unavailable};
use crate::domain::{AccessToken, TOKENS_INTROSPECT, Timestamp};

/// Why introspection is refused.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectTokenError {
    /// The caller is no client.
    #[error("client authentication failed")]
    InvalidClient,
    /// The caller does not hold `tokens:introspect`.
    #[error("the client does not hold {TOKENS_INTROSPECT}")]
    InsufficientScope,
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<AuthenticateClientError> for IntrospectTokenError {
    fn from(error: AuthenticateClientError) -> Self {
        match error {
            AuthenticateClientError::InvalidClient => Self::InvalidClient,
            AuthenticateClientError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl Authority {
    /// What `text` says, with the scopes that still count. `None`: not a living token of the caller's organization, for
    /// whatever reason (RFC 7662 §2.2).
    pub async fn introspect_token(
        &self,
        credentials: &PresentedCredentials,
        text: &str,
        origin: &Origin<'_>,
    ) -> Result<Option<AccessToken>, IntrospectTokenError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let caller = self.authenticate_client(credentials, origin, now).await?;
        if !caller.scopes.holds(TOKENS_INTROSPECT) {
            return Err(IntrospectTokenError::InsufficientScope);
        }
        let living = self.living_token(text, now).await?;
        Ok(living.filter(|token| token.organization_id == caller.organization_id))
    }

    /// The one way to believe a token: ours, in time, and its account says so now. With the scopes that the account still
    /// holds.
    pub(super) async fn living_token(
        &self,
        text: &str,
        now: Timestamp,
    ) -> Result<Option<AccessToken>, Unavailable> {
        let Some(mut token) = self.open_token(text) else {
            return Ok(None);
        };
        if token.is_expired(now) {
            return Ok(None);
        }
        let state = self
            .store
            .find_token_state(token.service_account_id, token.id)
            .await?;
        let Some(state) = state.filter(|state| !state.is_revoked) else {
            return Ok(None);
        };
        if !token.is_alive(&state.client, now) {
            return Ok(None);
        }
        token.scopes = token.effective_scopes(&state.client);
        Ok(Some(token))
    }

    /// The token behind the text, if we made it for a resource that we know; dead or alive.
    pub(super) fn open_token(&self, text: &str) -> Option<AccessToken> {
        self.keys.open_token(text, |audience| {
            self.resources
                .iter()
                .any(|resource| resource.is_named(audience))
        })
    }
}
