//! `authenticate_bearer`: the caller of the management API, by access token (RFC 6750).

use super::{
    caller::Caller,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};

/// Why a bearer is refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateBearerError {
    /// The token is not an active token for the management API.
    #[error("the access token is invalid, expired or revoked")]
    InvalidToken,
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(AuthenticateBearerError::Unavailable);

impl Authority {
    /// The caller who bears the access token `text`.
    pub async fn authenticate_bearer(&self, text: &str) -> Result<Caller, AuthenticateBearerError> {
        let now = self.clock.now()?;
        let token = self
            .active_token(text, now)
            .await?
            .filter(|token| self.management.is_named(&token.audience))
            .ok_or(AuthenticateBearerError::InvalidToken)?;
        Ok(Caller {
            organization_id: token.organization_id,
            service_account_id: token.service_account_id,
            scopes: token.scopes,
        })
    }
}
