//! Who calls the management API, and what may he do? (RFC 6750)

use super::{Authority, Unavailable};
use crate::domain::{OrganizationId, ScopeSet, ServiceAccountId};

/// The bearer of a living token for the management API.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The organization for which he acts, and beyond which he sees nothing.
    pub organization_id: OrganizationId,
    /// The account that he is.
    pub service_account_id: ServiceAccountId,
    /// What his token allows and his account still holds.
    pub scopes: ScopeSet,
}

/// Why a bearer is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateBearerError {
    /// Not a living token for the management API: forged, expired, revoked, for another resource.
    #[error("the access token is invalid, expired or revoked")]
    InvalidToken,
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Authority {
    /// Who bears the token `text`.
    pub async fn authenticate_bearer(&self, text: &str) -> Result<Caller, AuthenticateBearerError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let token = self
            .living_token(text, now)
            .await?
            .filter(|token| self.resources.management().is_named(&token.audience))
            .ok_or(AuthenticateBearerError::InvalidToken)?;
        Ok(Caller {
            organization_id: token.organization_id,
            service_account_id: token.service_account_id,
            scopes: token.scopes,
        })
    }
}
