//! `POST /oauth2/revoke` (RFC 7009).

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use bytes::Bytes;

use super::{client_form::ClientForm, error::OAuthError, introspect::TokenHintForm};
use crate::{authority::Authority, http::exchange::Exchange};

/// Revoke a token of the client.
///
/// Any other token, for example of another client or expired, gets the same response and nothing changes.
#[utoipa::path(
    post,
    path = "/oauth2/revoke",
    tag = "oauth2",
    security(("client" = []), ()),
    request_body(content = TokenHintForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token is revoked, if it was a token of the client")
    )
)]
pub(in crate::http) async fn revoke_token(
    State(authority): State<Arc<Authority>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, OAuthError> {
    let form = ClientForm::read(&headers, &body)?;
    let text = form
        .get("token")
        .ok_or(OAuthError::InvalidRequest("token is missing"))?;
    authority
        .revoke_token(&form.credentials, text, &exchange.origin())
        .await?;
    Ok(StatusCode::OK)
}
