//! The way to a handler that does not lead through the router.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Method},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;

use super::{
    api::{bearer::ReadsServiceAccounts, path::AccountId, service_accounts::get_service_account},
    oauth::{introspect::introspect_token, revoke::revoke_token, token::issue_token},
};
use crate::{
    authority::{Authority, Origin},
    domain::ServiceAccountId,
};

/// The operations that are asked for so often, and do so little, that the router would be much of what they cost. It has
/// them as well, for the methods that their paths do not take and for the API document.
#[derive(Clone, Copy)]
pub(super) enum Direct {
    IssueToken,
    IntrospectToken,
    RevokeToken,
    GetServiceAccount(ServiceAccountId),
}

impl Direct {
    /// The operation at `path`, in which then is nothing that could not be logged: no more than an id.
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/oauth2/token" => Some(Self::IssueToken),
            "/oauth2/introspect" => Some(Self::IntrospectToken),
            "/oauth2/revoke" => Some(Self::RevokeToken),
            _ => path
                .strip_prefix("/api/v1/service-accounts/")
                .and_then(ServiceAccountId::parse)
                .map(Self::GetServiceAccount),
        }
    }

    /// Whether `method` is the one that asks for it.
    pub(super) fn is_asked_with(self, method: &Method) -> bool {
        *method
            == match self {
                Self::IssueToken | Self::IntrospectToken | Self::RevokeToken => Method::POST,
                Self::GetServiceAccount(_) => Method::GET,
            }
    }

    /// What its handler answers.
    pub(super) async fn answer(
        self,
        authority: &Arc<Authority>,
        headers: HeaderMap,
        body: Bytes,
        origin: Origin,
    ) -> Response {
        let state = Arc::clone(authority);
        match self {
            Self::IssueToken => issue_token(State(state), Extension(origin), headers, body)
                .await
                .into_response(),
            Self::IntrospectToken => {
                introspect_token(State(state), Extension(origin), headers, body)
                    .await
                    .into_response()
            }
            Self::RevokeToken => revoke_token(State(state), Extension(origin), headers, body)
                .await
                .into_response(),
            Self::GetServiceAccount(id) => {
                match ReadsServiceAccounts::authorize(&headers, authority).await {
                    Ok(caller) => get_service_account(State(state), caller, AccountId(id), headers)
                        .await
                        .into_response(),
                    Err(error) => error.into_response(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_direct(method: Method, path: &str) -> bool {
        Direct::at(path).is_some_and(|direct| direct.is_asked_with(&method))
    }

    #[test]
    fn only_what_is_plainly_meant_goes_directly() {
        assert!(is_direct(Method::POST, "/oauth2/token"));
        assert!(!is_direct(Method::GET, "/oauth2/token"));
        assert!(!is_direct(Method::POST, "/oauth2/token/"));
        let account = "/api/v1/service-accounts/01930a3e-7b1c-7def-8000-0123456789ab";
        assert!(is_direct(Method::GET, account));
        assert!(!is_direct(Method::HEAD, account));
        assert!(!is_direct(Method::DELETE, account));
        for path in [
            "/api/v1/service-accounts",
            "/api/v1/service-accounts/",
            "/api/v1/service-accounts/prk_x",
            "/api/v1/service-accounts/01930A3E-7B1C-7DEF-8000-0123456789AB",
            "/api/v1/service-accounts/01930a3e-7b1c-7def-8000-0123456789ab/",
            "/api/v1/service-accounts/01930a3e-7b1c-7def-8000-0123456789ab/usage",
        ] {
            assert!(!is_direct(Method::GET, path), "{path}");
        }
    }
}
