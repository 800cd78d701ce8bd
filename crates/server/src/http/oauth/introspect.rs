//! `POST /oauth2/introspect` (RFC 7662).

use std::sync::Arc;

use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use bytes::Bytes;
use prokura_wire as wire;

use super::{OAuthError, answer, client_form::ClientForm};
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
    Ok(answer(&token.map_or_else(
        wire::IntrospectionResponse::default,
        |token| active(token, authority.issuer()),
    )))
}

fn active(token: AccessToken, issuer: &str) -> wire::IntrospectionResponse {
    let client_id = token.service_account_id.client_id().to_string();
    wire::IntrospectionResponse {
        active: true,
        scope: Some(token.scopes.to_string()),
        sub: Some(client_id.clone()),
        client_id: Some(client_id),
        token_type: Some("Bearer".to_owned()),
        exp: Some(token.expires_at_seconds),
        iat: Some(token.issued_at_seconds),
        aud: Some(token.audience.into()),
        iss: Some(issuer.to_owned()),
        jti: Some(token.id.to_string()),
    }
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
