//! `POST /oauth2/introspect` (RFC 7662).

use std::sync::Arc;

use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use bytes::Bytes;
use prokura_wire as wire;

use super::{
    answer::{ANSWER_BYTES, answer, json},
    client_form::ClientForm,
    error::OAuthError,
};
use crate::{
    authority::Authority,
    domain::{AccessToken, ClientId},
    encoding::push_json_text,
    http::exchange::Exchange,
};

/// Introspect a token: whether it is active, and its content.
///
/// The caller authenticates as a client and holds `tokens:introspect`. For a token that is not an active token of the
/// caller's organization, the response is `{"active": false}`.
#[utoipa::path(
    post,
    path = "/oauth2/introspect",
    tag = "oauth2",
    security(("client" = []), ()),
    request_body(content = TokenHintForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The state and content of the token", body = wire::IntrospectionResponse),
        (status = 403, description = "insufficient_scope", body = wire::OAuthError)
    )
)]
pub(in crate::http) async fn introspect_token(
    State(authority): State<Arc<Authority>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let form = ClientForm::read(&headers, &body)?;
    let text = form
        .get("token")
        .ok_or(OAuthError::InvalidRequest("token is missing"))?;
    let token = authority
        .introspect_token(&form.credentials, text, &exchange.origin())
        .await?;
    Ok(match token {
        Some(token) => json(active(&token, authority.issuer())),
        None => answer(&wire::IntrospectionResponse::default()),
    })
}

/// The JSON of the [`wire::IntrospectionResponse`] for an active token, written by hand: only the audience and the issuer,
/// which come from the configuration, need escaping.
fn active(token: &AccessToken, issuer: &str) -> String {
    let account = &mut [0; 36];
    let account = token.service_account_id.encode(account);
    let mut json = String::with_capacity(ANSWER_BYTES);
    json.extend([
        r#"{"active":true,"scope":""#,
        token.scopes.as_str(),
        r#"","client_id":""#,
        ClientId::PREFIX,
        account,
        r#"","token_type":"Bearer","exp":"#,
        itoa::Buffer::new().format(token.expires_at_seconds),
        r#","iat":"#,
        itoa::Buffer::new().format(token.issued_at_seconds),
        r#","sub":""#,
        ClientId::PREFIX,
        account,
        r#"","aud":"#,
    ]);
    push_json_text(&mut json, &token.audience);
    json.push_str(r#","iss":"#);
    push_json_text(&mut json, issuer);
    json.extend([
        r#","jti":""#,
        token.id.encode(&mut [0; 36]),
        r#"","organization_id":""#,
        token.organization_id.encode(&mut [0; 36]),
        r#""}"#,
    ]);
    json
}

/// The parameters of an introspection or revocation request.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "a description of the form for the API document")]
pub(super) struct TokenHintForm {
    /// The token.
    token: String,
    /// Ignored: there is only one kind of token.
    #[schema(example = "access_token")]
    token_type_hint: Option<String>,
    /// The client id, unless the Authorization header contains it.
    client_id: Option<String>,
    /// The client secret, unless the Authorization header contains it.
    client_secret: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OrganizationId, ScopeSet, ServiceAccountId, TokenId};

    #[test]
    fn the_json_written_by_hand_is_what_serde_writes() {
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
            organization_id: Some(token.organization_id.to_string()),
        });
        assert_eq!(active(&token, "https://a.example/\""), serialized.unwrap());
    }
}
