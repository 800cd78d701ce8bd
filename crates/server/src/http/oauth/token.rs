//! `POST /oauth2/token` (RFC 6749 §3.2, §4.4).

use std::sync::Arc;

use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use bytes::Bytes;
use prokura_wire as wire;

use super::{answer::json, client_form::ClientForm, error::OAuthError};
use crate::{
    authority::{Authority, Grant, IssuedToken, TokenRequest},
    http::exchange::{Exchange, Identity},
};

/// The supported values of `grant_type`. The metadata lists the same.
pub(super) const GRANTS: [(&str, Grant); 1] = [("client_credentials", Grant::ClientCredentials)];

/// Get an access token.
///
/// The client authenticates with HTTP Basic, or with `client_id` and `client_secret` in the body. Without `scope` the token
/// has all scopes that the client holds for the resource. `resource` (RFC 8707) or `audience` names the resource. Without
/// either, the requested scopes select the resource; without those, it is the management API.
#[utoipa::path(
    post,
    path = "/oauth2/token",
    tag = "oauth2",
    security(("client" = []), ()),
    request_body(
        content = TokenForm,
        content_type = "application/x-www-form-urlencoded"
    ),
    responses(
        (status = 200, description = "An access token", body = wire::TokenResponse)
    )
)]
pub(in crate::http) async fn issue_token(
    State(authority): State<Arc<Authority>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let form = ClientForm::read(&headers, &body)?;
    let grant_type = form
        .get("grant_type")
        .ok_or(OAuthError::InvalidRequest("grant_type is missing"))?;
    let request = TokenRequest {
        credentials: &form.credentials,
        grant: grant(grant_type),
        scope: form.get("scope"),
        resources: form.resources(),
    };
    let issued = authority.issue_token(&request, &exchange.origin()).await?;
    exchange.identify(Identity {
        organization_id: issued.organization_id,
        service_account_id: issued.service_account_id,
    });
    Ok(json(response(&issued)))
}

/// The grant with this `grant_type`.
fn grant(grant_type: &str) -> Grant {
    GRANTS
        .iter()
        .find(|(name, _)| *name == grant_type)
        .map_or(Grant::Unsupported, |(_, grant)| *grant)
}

/// The JSON of the [`wire::TokenResponse`], written by hand: neither tokens nor scopes (RFC 6749 Appendix A.4) need
/// escaping.
fn response(issued: &IssuedToken) -> String {
    let IssuedToken {
        text,
        lifetime_seconds,
        scopes,
        ..
    } = issued;
    [
        r#"{"access_token":""#,
        text,
        r#"","token_type":"Bearer","expires_in":"#,
        itoa::Buffer::new().format(*lifetime_seconds),
        r#","scope":""#,
        scopes.as_str(),
        r#""}"#,
    ]
    .concat()
}

/// The parameters of a token request.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "a description of the form for the API document")]
struct TokenForm {
    /// `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// The requested scopes, separated by spaces.
    #[schema(example = "management:all")]
    scope: Option<String>,
    /// The resource that the token is for (RFC 8707).
    resource: Option<String>,
    /// Another name for `resource`.
    audience: Option<String>,
    /// The client id, unless the Authorization header contains it.
    client_id: Option<String>,
    /// The client secret, unless the Authorization header contains it.
    client_secret: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OrganizationId, ScopeSet, ServiceAccountId};

    #[test]
    fn the_json_written_by_hand_is_what_serde_writes() {
        let issued = IssuedToken {
            text: "prka_A-z_0.9".to_owned(),
            lifetime_seconds: 3600,
            scopes: ScopeSet::parse("management:all !#[]~ orders:read").unwrap(),
            organization_id: OrganizationId::from_bytes([1; 16]),
            service_account_id: ServiceAccountId::from_bytes([2; 16]),
        };
        let serialized = serde_json::to_string(&wire::TokenResponse {
            access_token: wire::Secret::new(issued.text.clone()),
            token_type: "Bearer".to_owned(),
            expires_in: issued.lifetime_seconds,
            scope: issued.scopes.to_string(),
        });
        assert_eq!(response(&issued), serialized.unwrap());
    }
}
