//! `introspect_token`: whether a token is active, and its content (RFC 7662).

use super::{
    authenticate_client::{AuthenticateClientError, PresentedCredentials},
    origin::Origin,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::domain::{AccessToken, TOKENS_INTROSPECT};

/// Why introspection is refused.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectTokenError {
    /// Client authentication failed.
    #[error("client authentication failed")]
    InvalidClient,
    /// The client does not hold `tokens:introspect`.
    #[error("the client does not hold {TOKENS_INTROSPECT}")]
    InsufficientScope,
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(IntrospectTokenError::Unavailable);

impl From<AuthenticateClientError> for IntrospectTokenError {
    fn from(error: AuthenticateClientError) -> Self {
        match error {
            AuthenticateClientError::InvalidClient => Self::InvalidClient,
            AuthenticateClientError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl Authority {
    /// The content of the token `text`, with the scopes that its account still holds. `None`: it is not an active token of
    /// the caller's organization (RFC 7662 §2.2).
    pub async fn introspect_token(
        &self,
        credentials: &PresentedCredentials,
        text: &str,
        origin: &Origin<'_>,
    ) -> Result<Option<AccessToken>, IntrospectTokenError> {
        let now = self.clock.now()?;
        let caller = self.authenticate_client(credentials, origin, now).await?;
        if !caller.scopes.holds(TOKENS_INTROSPECT) {
            return Err(IntrospectTokenError::InsufficientScope);
        }
        let active = self.active_token(text, now).await?;
        Ok(active.filter(|token| token.organization_id == caller.organization_id))
    }
}
