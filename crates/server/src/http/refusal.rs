//! Refusals that do not depend on what was asked, only on how.

use axum::{
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{api::ApiError, oauth::OAuthError};

/// Refused before any handler knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No such path.
    NotFound,
    /// The path is not for this method.
    MethodNotAllowed,
    /// RFC 9110 §7.2: no `Host`, several, or a malformed one.
    BadHost,
    /// The body did not come in time.
    Timeout,
    /// The body broke off.
    Incomplete,
    /// The body is too large.
    TooLarge,
    /// The path and query are too long.
    UriTooLong,
    /// A bug of ours.
    Internal,
}

impl Refusal {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadHost | Self::Incomplete => StatusCode::BAD_REQUEST,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::BadHost | Self::Incomplete => "invalid_request",
            Self::Timeout => "request_timeout",
            Self::TooLarge => "request_too_large",
            Self::UriTooLong => "uri_too_long",
            Self::Internal => "server_error",
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::NotFound => "there is nothing at this path",
            Self::MethodNotAllowed => "this path does not take this method; see the Allow header",
            Self::BadHost => "the request needs exactly one well-formed Host header",
            Self::Timeout => "the request body did not arrive in time",
            Self::Incomplete => "the request body broke off",
            Self::TooLarge => "the request body is too large",
            Self::UriTooLong => "the request URI is too long",
            Self::Internal => "the server failed at this request; its log says more",
        }
    }

    /// The answer in the language of the path: OAuth's below `/oauth2` and `/.well-known`, the management API's elsewhere.
    pub(super) fn at(self, uri: &Uri) -> Response {
        let mut response = if is_oauth(uri) {
            OAuthError::Refused(self).into_response()
        } else {
            ApiError::Refused(self).into_response()
        };
        if matches!(self, Self::TooLarge | Self::Timeout | Self::Incomplete) {
            // What is left of the body is not read, so the connection cannot be used again.
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

pub(super) fn is_oauth(uri: &Uri) -> bool {
    let path = uri.path();
    path.starts_with("/oauth2/") || path.starts_with("/.well-known/")
}
