//! `POST /oauth2/introspect` (RFC 7662).

use std::sync::Arc;

use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use bytes::Bytes;
use prokura_wire as wire;

use super::{OAuthError, answer, client_form::ClientForm, json};
use crate::{
    authority::{Authority, Origin},
    domain::AccessToken,
};

/// Ask whether a token lives, and what it says.
///
/// The caller authenticates as a client and holds `tokens:introspect`. Of a token that is not a living one of its
/// organization it learns only that.
#[utoipa::path(
    post,
    path = "/oauth2/introspect",
    tag = "oauth2",
    security(("client" = []), ()),
    request_body(content = TokenHintForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What the token says", body = wire::IntrospectionResponse),
        (status = 403, description = "insufficient_scope", body = wire::OAuthError)
    )
)]
pub(in crate::http) async fn introspect_token(
    State(authority): State<Arc<Authority>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let form = ClientForm::read(&headers, &body)?;
    let text = form
        .get("token")
        .ok_or(OAuthError::InvalidRequest("token is missing"))?;
    let token = authority
        .introspect_token(&form.credentials, text, &origin)
        .await?;
    Ok(match token {
        Some(token) => json(active(&token, authority.issuer())),
        None => answer(&wire::IntrospectionResponse::default()),
    })
}

/// What the [`wire::IntrospectionResponse`] of a living token serializes to, written down: names come from the configuration,
/// nothing else in it needs escaping.
fn active(token: &AccessToken, issuer: &str) -> String {
    let client_id = token.service_account_id.client_id().to_string();
    let escaped = |name: &str| serde_json::to_string(name).expect("a text is JSON");
    [
        r#"{"active":true,"scope":""#,
        token.scopes.as_str(),
        r#"","client_id":""#,
        &client_id,
        r#"","token_type":"Bearer","exp":"#,
        &token.expires_at_seconds.to_string(),
        r#","iat":"#,
        &token.issued_at_seconds.to_string(),
        r#","sub":""#,
        &client_id,
        r#"","aud":"#,
        &escaped(&token.audience),
        r#","iss":"#,
        &escaped(issuer),
        r#","jti":""#,
        &token.id.to_string(),
        r#""}"#,
    ]
    .concat()
}

/// A token, and what kind its holder takes it for.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "a description of the form for the API document")]
pub(super) struct TokenHintForm {
    /// The token.
    token: String,
    /// A hint; there is one kind of token, so it changes nothing.
    #[schema(example = "access_token")]
    token_type_hint: Option<String>,
    /// Unless in the Authorization header.
    client_id: Option<String>,
    /// Unless in the Authorization header.
    client_secret: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OrganizationId, ScopeSet, ServiceAccountId, TokenId};

    #[test]
    fn what_is_written_down_is_what_would_be_serialized() {
        let account = ServiceAccountId::from_bytes([2; 16]);
        let token = AccessToken {
            id: TokenId::from_bytes([1; 16]),
            organization_id: OrganizationId::from_bytes([3; 16]),
            service_account_id: account,
            token_epoch: 4,
            audience: r#"urn:"\"#.into(),
            scopes: ScopeSet::parse("management:all !#[]~ orders:read").unwrap(),
            issued_at_seconds: 5,
            expires_at_seconds: 6,
        };
        let serialized = serde_json::to_string(&wire::IntrospectionResponse {
            active: true,
            scope: Some(token.scopes.to_string()),
            client_id: Some(account.client_id().to_string()),
            token_type: Some("Bearer".to_owned()),
            exp: Some(6),
            iat: Some(5),
            sub: Some(account.client_id().to_string()),
            aud: Some(token.audience.to_string()),
            iss: Some("https://a.example/\"".to_owned()),
            jti: Some(token.id.to_string()),
        });
        assert_eq!(active(&token, "https://a.example/\""), serialized.unwrap());
    }
}
