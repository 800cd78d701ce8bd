//! `POST /oauth2/revoke` (RFC 7009).

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use bytes::Bytes;

use super::{OAuthError, client_form::ClientForm, introspect::TokenHintForm};
use crate::{authority::Authority, http::exchange::Exchange};

/// End one of the client's own tokens before its time.
///
/// Whatever else the token is, the answer is the same success without effect.
#[utoipa::path(
    post,
    path = "/oauth2/revoke",
    tag = "oauth2",
    security(("client" = []), ()),
    request_body(content = TokenHintForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token is dead, if it was the client's own")
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
