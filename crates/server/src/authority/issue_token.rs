//! `issue_token`: credentials for an access token (RFC 6749 §4.4). One look-up, no write.

use super::{Authority, Origin, PresentedCredentials, Unavailable};
use crate::{
    domain::{
        AccessToken, Client, GrantError, OrganizationId, ScopeSet, ServiceAccountId, Timestamp,
        TokenId,
    },
    store::Found,
};

/// A well-formed token request; nothing in it is believed yet.
#[derive(Clone, Debug)]
pub struct TokenRequest<'a> {
    /// Who asks.
    pub credentials: &'a PresentedCredentials,
    /// `grant_type`.
    pub grant_type: &'a str,
    /// `scope`, unless omitted.
    pub scope: Option<&'a str>,
    /// The values of `resource` (RFC 8707 §2) and `audience`.
    pub resources: Vec<&'a str>,
}

/// A token and what its client is told of it (RFC 6749 §5.1).
#[derive(Debug)]
pub struct IssuedToken {
    /// `access_token`.
    pub text: String,
    /// `expires_in`, in seconds.
    pub lifetime_seconds: u32,
    /// `scope`.
    pub scopes: ScopeSet,
    /// The organization of the client.
    pub organization_id: OrganizationId,
    /// The account of the client.
    pub service_account_id: ServiceAccountId,
}

/// Why no token is issued (RFC 6749 §5.2, RFC 8707 §2). The order is that of the checks, so that who is not a client
/// learns nothing else.
#[derive(Debug, thiserror::Error)]
pub enum IssueTokenError {
    /// `invalid_client`.
    #[error("client authentication failed")]
    InvalidClient,
    /// `unsupported_grant_type`.
    #[error("the grant type is not supported")]
    UnsupportedGrantType,
    /// `invalid_scope`.
    #[error("the scope is not granted")]
    InvalidScope,
    /// `invalid_target`.
    #[error("the resource is not granted")]
    InvalidTarget,
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<GrantError> for IssueTokenError {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::InvalidScope(_) => Self::InvalidScope,
            GrantError::InvalidTarget => Self::InvalidTarget,
        }
    }
}

impl Authority {
    /// Issues the token asked for, and counts that it did, or refused.
    pub async fn issue_token(
        &self,
        request: &TokenRequest<'_>,
        origin: &Origin<'_>,
    ) -> Result<IssuedToken, IssueTokenError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let found = self.find_client(request.credentials, origin, now).await;
        let (client, secret) = match found.map_err(Unavailable::from)? {
            Found::Proven(known, secret) => (known.client, secret),
            Found::Unproven(known, _) => {
                self.store.count_refused(known.client.id, now);
                return Err(IssueTokenError::InvalidClient);
            }
            Found::Nobody => return Err(IssueTokenError::InvalidClient),
        };
        let outcome = self.grant_token(request, &client, now);
        match &outcome {
            Ok(_) => self.store.count_issued(client.id, secret, now),
            // No answer is no refusal.
            Err(IssueTokenError::Unavailable(_)) => {}
            Err(_) => self.store.count_refused(client.id, now),
        }
        outcome
    }

    fn grant_token(
        &self,
        request: &TokenRequest<'_>,
        client: &Client,
        now: Timestamp,
    ) -> Result<IssuedToken, IssueTokenError> {
        match request.grant_type {
            "client_credentials" => {}
            _ => return Err(IssueTokenError::UnsupportedGrantType),
        }
        let (resource, audience, scopes) =
            self.resources
                .grant(&request.resources, request.scope, &client.scopes)?;
        let id = TokenId::new(self.random().map_err(Unavailable::from)?);
        let lifetime_seconds = resource.lifetime_seconds(client, now);
        let token = AccessToken::mint(id, client, audience, scopes, lifetime_seconds, now);
        let text = self
            .keys
            .seal_token(&token, resource.token_format)
            .map_err(Unavailable::from)?;
        Ok(IssuedToken {
            text,
            lifetime_seconds,
            scopes: token.scopes,
            organization_id: token.organization_id,
            service_account_id: token.service_account_id,
        })
    }
}
