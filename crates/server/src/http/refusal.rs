//! Refusals that can meet any request, whatever its route: status, code and message.
//!
//! The two error tables ([`api::error`](super::api) and [`oauth::error`](super::oauth)) turn a refusal into a response.

use axum::http::StatusCode;

/// Why a request is refused before its handler runs, or because its handler panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No such path.
    NotFound,
    /// The path does not accept this method.
    MethodNotAllowed,
    /// RFC 9110 §7.2: no `Host`, several, or a malformed one.
    BadHost,
    /// The body did not arrive in time.
    Timeout,
    /// The connection ended within the body.
    Incomplete,
    /// The body is too large.
    TooLarge,
    /// Path and query are too long.
    UriTooLong,
    /// A bug in the server.
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

    /// The error code, the same in both APIs.
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

    /// The message for people.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::NotFound => "there is nothing at this path",
            Self::MethodNotAllowed => {
                "this path does not accept this method; the Allow header lists those it accepts"
            }
            Self::BadHost => "the request must have exactly one well-formed Host header",
            Self::Timeout => "the request body did not arrive in time",
            Self::Incomplete => "the request body ended early",
            Self::TooLarge => "the request body is too large",
            Self::UriTooLong => "the request URI is too long",
            Self::Internal => "internal server error; the server's log has the cause",
        }
    }

    /// Whether a part of the body may be left unread, so that the connection cannot carry another request.
    pub(super) const fn closes_connection(self) -> bool {
        matches!(self, Self::TooLarge | Self::Timeout | Self::Incomplete)
    }
}
