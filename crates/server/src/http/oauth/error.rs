//! The error table of the OAuth endpoints: every refusal is an arm of [`OAuthError`].

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use prokura_wire as wire;

use super::answer::answer;
use crate::{
    authority::{AuthenticateClientError, IntrospectTokenError, IssueTokenError, Unavailable},
    http::{cause::Cause, refusal::Refusal},
};

/// An error of RFC 6749 §5.2 or of one of its extensions. Descriptions are fixed texts: nothing that the client sent is in them.
#[derive(Clone)]
pub(in crate::http) enum OAuthError {
    /// The request is malformed. The text says how.
    InvalidRequest(&'static str),
    /// Client authentication failed, for whatever reason.
    InvalidClient,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
    /// RFC 6749 §5.2.
    InvalidScope,
    /// RFC 8707 §2.
    InvalidTarget,
    /// RFC 6750 §3.1: the client lacks the scope for introspection.
    InsufficientScope,
    /// Refused before the handler, or a bug in it.
    Refused(Refusal),
    /// The store, the clock, randomness or a key is unavailable.
    Unavailable(Cause),
}

impl OAuthError {
    fn table(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidRequest(what) => (StatusCode::BAD_REQUEST, "invalid_request", what),
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "client authentication failed",
            ),
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "grant_type must be client_credentials",
            ),
            Self::InvalidScope => (
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                "a scope is unknown, malformed, not granted to this client, or belongs to another resource",
            ),
            Self::InvalidTarget => (
                StatusCode::BAD_REQUEST,
                "invalid_target",
                "the resource is unknown, the client has no scope for it, or more than one resource is requested",
            ),
            Self::InsufficientScope => (
                StatusCode::FORBIDDEN,
                "insufficient_scope",
                "introspection requires the scope tokens:introspect",
            ),
            Self::Refused(refusal) => (refusal.status(), refusal.code(), refusal.message()),
            Self::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "the server is temporarily unavailable; try again",
            ),
        }
    }

    /// The body.
    pub(in crate::http) fn body(&self) -> wire::OAuthError {
        let (_, error, description) = self.table();
        wire::OAuthError {
            error: error.to_owned(),
            error_description: Some(description.to_owned()),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let mut response = answer(&self.body());
        *response.status_mut() = self.table().0;
        match self {
            Self::InvalidClient => {
                // RFC 6749 §5.2, RFC 7617 §2.
                let challenge =
                    HeaderValue::from_static(r#"Basic realm="prokura", charset="UTF-8""#);
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, challenge);
            }
            Self::Unavailable(cause) => {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
                response.extensions_mut().insert(cause);
            }
            _ => {}
        }
        response
    }
}

impl From<Unavailable> for OAuthError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(Cause::new(error))
    }
}

impl From<IssueTokenError> for OAuthError {
    fn from(error: IssueTokenError) -> Self {
        match error {
            IssueTokenError::InvalidClient => Self::InvalidClient,
            IssueTokenError::UnsupportedGrantType => Self::UnsupportedGrantType,
            IssueTokenError::InvalidScope => Self::InvalidScope,
            IssueTokenError::InvalidTarget => Self::InvalidTarget,
            IssueTokenError::Unavailable(error) => error.into(),
        }
    }
}

impl From<IntrospectTokenError> for OAuthError {
    fn from(error: IntrospectTokenError) -> Self {
        match error {
            IntrospectTokenError::InvalidClient => Self::InvalidClient,
            IntrospectTokenError::InsufficientScope => Self::InsufficientScope,
            IntrospectTokenError::Unavailable(error) => error.into(),
        }
    }
}

impl From<AuthenticateClientError> for OAuthError {
    fn from(error: AuthenticateClientError) -> Self {
        match error {
            AuthenticateClientError::InvalidClient => Self::InvalidClient,
            AuthenticateClientError::Unavailable(error) => error.into(),
        }
    }
}
