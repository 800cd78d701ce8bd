//! Who calls the management API. A handler that takes [`ManagesServiceAccounts`] or one of its like as a parameter cannot be
//! reached without the scope.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use super::{error::ApiError, path::AccountId};
use crate::{
    authority::{Authority, Caller},
    domain::{AUDIT_READ, SERVICE_ACCOUNTS_READ, SERVICE_ACCOUNTS_ROTATE, SERVICE_ACCOUNTS_WRITE},
    encoding::all_bytes,
    http::exchange::{Exchange, Identity},
};

/// A caller who may read service accounts.
pub(in crate::http) struct ReadsServiceAccounts(pub(super) Caller);

/// A caller who may create, change and delete service accounts.
pub(in crate::http) struct ManagesServiceAccounts(pub(super) Caller);

/// A caller who may change the secrets of the account in the path: of its own account, or of those that it may empower.
pub(in crate::http) struct ChangesSecrets(pub(super) Caller);

/// A caller who may list the secrets of the account in the path.
pub(in crate::http) struct ListsSecrets(pub(super) Caller);

/// A caller who may read the audit trail.
pub(in crate::http) struct ReadsAudit(pub(super) Caller);

impl ReadsServiceAccounts {
    /// The caller who sent these headers.
    pub(in crate::http) async fn authorize(
        headers: &HeaderMap,
        authority: &Authority,
        exchange: &Exchange,
    ) -> Result<Self, ApiError> {
        authorize(headers, authority, exchange, SERVICE_ACCOUNTS_READ)
            .await
            .map(Self)
    }
}

impl FromRequestParts<Arc<Authority>> for ReadsServiceAccounts {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        authority: &Arc<Authority>,
    ) -> Result<Self, ApiError> {
        extract(parts, authority, SERVICE_ACCOUNTS_READ)
            .await
            .map(Self)
    }
}

impl FromRequestParts<Arc<Authority>> for ManagesServiceAccounts {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        authority: &Arc<Authority>,
    ) -> Result<Self, ApiError> {
        extract(parts, authority, SERVICE_ACCOUNTS_WRITE)
            .await
            .map(Self)
    }
}

impl FromRequestParts<Arc<Authority>> for ChangesSecrets {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        authority: &Arc<Authority>,
    ) -> Result<Self, ApiError> {
        let caller = authenticate(&parts.headers, authority, Exchange::of(parts)).await?;
        require_for_secrets(parts, &caller, SERVICE_ACCOUNTS_ROTATE)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<Arc<Authority>> for ListsSecrets {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        authority: &Arc<Authority>,
    ) -> Result<Self, ApiError> {
        let caller = authenticate(&parts.headers, authority, Exchange::of(parts)).await?;
        if !caller.scopes.holds(SERVICE_ACCOUNTS_ROTATE) {
            require_for_secrets(parts, &caller, SERVICE_ACCOUNTS_READ)?;
        }
        Ok(Self(caller))
    }
}

impl FromRequestParts<Arc<Authority>> for ReadsAudit {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        authority: &Arc<Authority>,
    ) -> Result<Self, ApiError> {
        extract(parts, authority, AUDIT_READ).await.map(Self)
    }
}

async fn extract(parts: &Parts, authority: &Authority, scope: &str) -> Result<Caller, ApiError> {
    let exchange = Exchange::of(parts);
    authorize(&parts.headers, authority, exchange, scope).await
}

/// Authenticates the bearer of the token, and requires `scope`.
async fn authorize(
    headers: &HeaderMap,
    authority: &Authority,
    exchange: &Exchange,
    scope: &str,
) -> Result<Caller, ApiError> {
    let caller = authenticate(headers, authority, exchange).await?;
    require(&caller, scope)?;
    Ok(caller)
}

/// Authenticates the bearer of the token, and records who it is.
async fn authenticate(
    headers: &HeaderMap,
    authority: &Authority,
    exchange: &Exchange,
) -> Result<Caller, ApiError> {
    let caller = authority
        .authenticate_bearer(bearer_token(headers)?)
        .await?;
    exchange.identify(Identity {
        organization_id: caller.organization_id,
        service_account_id: caller.service_account_id,
    });
    Ok(caller)
}

fn require(caller: &Caller, scope: &str) -> Result<(), ApiError> {
    if caller.scopes.holds(scope) {
        Ok(())
    } else {
        Err(ApiError::MissingScopes(vec![scope.to_owned()]))
    }
}

/// Requires `scope`, unless the account in the path is the caller's own. What the caller may do there, the authority decides.
fn require_for_secrets(parts: &Parts, caller: &Caller, scope: &str) -> Result<(), ApiError> {
    let own = AccountId::in_path(parts.uri.path());
    if own.is_ok_and(|AccountId(id)| id == caller.service_account_id) {
        return Ok(());
    }
    require(caller, scope)
}

/// The token in the one Authorization header (RFC 6750 §2.1). A token in the query or the body is ignored.
fn bearer_token(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(ApiError::NoToken)?;
    if values.next().is_some() {
        return Err(ApiError::MalformedToken);
    }
    let value = std::str::from_utf8(value.as_bytes()).map_err(|_| ApiError::MalformedToken)?;
    if !value.is_ascii() {
        return Err(ApiError::MalformedToken);
    }
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::NoToken);
    }
    let token = token.trim_matches(' ');
    if is_token68(token) {
        Ok(token)
    } else {
        Err(ApiError::MalformedToken)
    }
}

/// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 9110 §11.2).
fn is_token68(text: &str) -> bool {
    let is_char = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    let body = text.trim_end_matches('=').as_bytes();
    !body.is_empty() && all_bytes(body, is_char)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(authorization: &str) -> String {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(authorization).unwrap();
        headers.insert(header::AUTHORIZATION, value);
        match bearer_token(&headers) {
            Ok(token) => token.to_owned(),
            Err(ApiError::NoToken) => "no token".to_owned(),
            Err(_) => "malformed".to_owned(),
        }
    }

    #[test]
    fn a_bearer_token_is_one_token68() {
        assert_eq!(read("Bearer aZ09-._~+/=="), "aZ09-._~+/==");
        assert_eq!(read("bEARER  a  "), "a");
        for malformed in [
            "Bearer",
            "Bearer =",
            "Bearer a b",
            "Bearer a=b",
            "Bearer a,b",
        ] {
            assert_eq!(read(malformed), "malformed", "{malformed}");
        }
        assert_eq!(read("Bearer \u{e9}"), "malformed");
        assert_eq!(read("Basic \u{e9}"), "malformed");
        assert_eq!(read("Basic a"), "no token");
    }
}
