//! `issue_token`: an access token for an authenticated client (RFC 6749 §4.4). One look-up, no write.

use super::{
    authenticate_client::PresentedCredentials,
    origin::Origin,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::{
    domain::{
        AccessToken, Client, GrantError, OrganizationId, Resources, ScopeSet, ServiceAccountId,
        Timestamp, TokenId,
    },
    store::Found,
};

/// A well-formed token request. Nothing in it is checked yet.
#[derive(Clone, Debug)]
pub struct TokenRequest<'a> {
    /// The credentials of the client.
    pub credentials: &'a PresentedCredentials,
    /// The grant.
    pub grant: Grant,
    /// `scope`. `None`: omitted.
    pub scope: Option<&'a str>,
    /// The values of `resource` (RFC 8707 §2) and `audience`.
    pub resources: Vec<&'a str>,
}

/// The authorization grant of a token request (RFC 6749 §1.3): one variant for each supported `grant_type`, with the
/// parameters of that grant alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// Any other `grant_type`. It is refused after the client is authenticated, so that only clients learn what is
    /// supported.
    Unsupported,
}

/// An issued token, and what the response says about it (RFC 6749 §5.1).
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

/// Why no token is issued (RFC 6749 §5.2, RFC 8707 §2), in the order of the checks.
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
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(IssueTokenError::Unavailable);

impl From<GrantError> for IssueTokenError {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::InvalidScope(_) => Self::InvalidScope,
            GrantError::InvalidTarget => Self::InvalidTarget,
        }
    }
}

impl Authority {
    /// Issues the requested token. Counts the token, or the refusal, as usage of the account.
    pub async fn issue_token(
        &self,
        request: &TokenRequest<'_>,
        origin: &Origin<'_>,
    ) -> Result<IssuedToken, IssueTokenError> {
        let now = self.clock.now()?;
        let (client, version, proof) =
            match self.find_client(request.credentials, origin, now).await? {
                Found::Proven(known, proof) => (known.client, known.resources_version, proof),
                Found::Unproven(known, _) => {
                    self.store.count_refused(known.client.id, now);
                    return Err(IssueTokenError::InvalidClient);
                }
                Found::Nobody => return Err(IssueTokenError::InvalidClient),
            };
        let resources = self.resources_at(client.organization_id, version).await?;
        let outcome = match request.grant {
            Grant::ClientCredentials => self.grant_to_client(request, &client, &resources, now),
            Grant::Unsupported => Err(IssueTokenError::UnsupportedGrantType),
        };
        match &outcome {
            Ok(_) => self.store.count_issued(client.id, proof, now),
            // The request was not refused.
            Err(IssueTokenError::Unavailable(_)) => {}
            Err(_) => self.store.count_refused(client.id, now),
        }
        outcome
    }

    /// A token for the client itself.
    fn grant_to_client(
        &self,
        request: &TokenRequest<'_>,
        client: &Client,
        resources: &Resources,
        now: Timestamp,
    ) -> Result<IssuedToken, IssueTokenError> {
        let (resource, audience, scopes) =
            resources.grant(&request.resources, request.scope, &client.scopes)?;
        let id = TokenId::new(self.random()?);
        let lifetime_seconds = resource.lifetime_seconds(client, now);
        let token = AccessToken::mint(id, client, audience, scopes, lifetime_seconds, now);
        let text = self.keys.seal_token(&token, resource.token_format, now)?;
        Ok(IssuedToken {
            text,
            lifetime_seconds,
            scopes: token.scopes,
            organization_id: token.organization_id,
            service_account_id: token.service_account_id,
        })
    }
}
