//! Why a call failed.

use std::{io, sync::Arc, time::Duration};

use prokura_wire::FieldError;
use url::Url;

/// Why a call failed. An error never contains a secret or a token. Cloning is cheap, because all callers that wait for the
/// same token get the same error.
///
/// The message is one line and does not repeat its [source](std::error::Error::source). [`hint`](Self::hint) says what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The management API answered with an error.
    #[error(transparent)]
    Api(Arc<ApiError>),

    /// An OAuth endpoint answered with an error: the token endpoint, introspection or revocation.
    #[error(transparent)]
    OAuth(Arc<OAuthError>),

    /// The server could not be reached, or the connection broke.
    #[error("{} {url}", if *may_have_arrived { "lost the connection to" } else { "cannot connect to" })]
    Unreachable {
        /// The URL of the request, without the query.
        url: String,
        /// What happened to the connection.
        #[source]
        source: Arc<reqwest::Error>,
        /// Whether the server may have received the request. If not, the call had no effect.
        may_have_arrived: bool,
    },

    /// The server did not answer in time. The request may have arrived.
    #[error("{url} did not answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// The URL of the request, without the query.
        url: String,
        /// The timeout that has passed.
        after: Duration,
    },

    /// The response does not have the documented form. A proxy may have sent it.
    #[error("unexpected response from {url} ({status}): {reason}")]
    UnexpectedResponse {
        /// The URL of the request, without the query.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What is wrong with the response. It does not quote the body, which may contain a secret.
        reason: String,
        /// What to do about the error.
        hint: &'static str,
        /// `X-Request-Id`.
        request_id: Option<String>,
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },

    /// An argument or the configuration is invalid, or the client secret could not be read. Nothing was sent.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// What to do about the error.
        hint: Option<&'static str>,
        /// The error of the operating system.
        #[source]
        source: Option<Arc<io::Error>>,
    },

    /// The token request was abandoned, because the Tokio runtime that it ran on has shut down.
    #[error("the token request was abandoned: its Tokio runtime has shut down")]
    Abandoned,
}

/// An error response of the management API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({status} {code})")]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The error code, for programs. It is stable. Example: `service_account_not_found`.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
    /// The ID of the request in the server's log.
    pub request_id: String,
    /// With status 400: each member or parameter that is invalid.
    pub errors: Vec<FieldError>,
    /// With status 403: the scopes that the caller lacks.
    pub missing_scopes: Vec<String>,
    /// How long the server asks to wait before another attempt (`Retry-After`).
    pub retry_after: Option<Duration>,
}

/// An error response of an OAuth endpoint (RFC 6749 §5.2).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} ({status} {error})", description.as_deref().unwrap_or("the server gave no reason"))]
#[non_exhaustive]
pub struct OAuthError {
    /// The HTTP status.
    pub status: u16,
    /// The error code, for programs: `invalid_client`, `invalid_scope`, `invalid_target` and so on.
    pub error: String,
    /// What is wrong, for developers.
    pub description: Option<String>,
    /// The ID of the request in the server's log (`X-Request-Id`). `None`: the server sent none.
    pub request_id: Option<String>,
    /// How long the server asks to wait before another attempt (`Retry-After`).
    pub retry_after: Option<Duration>,
}

impl Error {
    /// The HTTP status. `None`: there was no response.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api(error) => Some(error.status),
            Self::OAuth(error) => Some(error.status),
            Self::UnexpectedResponse { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The server's error code: `code` of the management API, or `error` of an OAuth endpoint.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api(error) => Some(&error.code),
            Self::OAuth(error) => Some(&error.error),
            _ => None,
        }
    }

    /// The ID of the request in the server's log.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api(error) => Some(&error.request_id),
            Self::OAuth(error) => error.request_id.as_deref(),
            Self::UnexpectedResponse { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// What to do about the error, if the SDK knows.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnexpectedResponse { hint, .. } => Some(hint),
            Self::Invalid { hint, .. } => *hint,
            _ => None,
        }
    }

    /// With status 400 of the management API: each member or parameter that is invalid. Otherwise empty.
    pub fn field_errors(&self) -> &[FieldError] {
        match self {
            Self::Api(error) => &error.errors,
            _ => &[],
        }
    }

    /// With status 403 of the management API: the scopes that the caller lacks. Otherwise empty.
    pub fn missing_scopes(&self) -> &[String] {
        match self {
            Self::Api(error) => &error.missing_scopes,
            _ => &[],
        }
    }

    /// How long the server asks to wait before another attempt (`Retry-After`, RFC 9110 §10.2.3).
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api(error) => error.retry_after,
            Self::OAuth(error) => error.retry_after,
            Self::UnexpectedResponse { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid {
            message: message.into(),
            hint: None,
            source: None,
        }
    }

    pub(crate) fn invalid_with_hint(message: impl Into<String>, hint: &'static str) -> Self {
        Self::Invalid {
            message: message.into(),
            hint: Some(hint),
            source: None,
        }
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Api(Arc::new(error))
    }
}

impl From<OAuthError> for Error {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(Arc::new(error))
    }
}

/// A request to `url` that got no response.
pub(crate) fn unreachable(url: &Url, error: reqwest::Error) -> Error {
    Error::Unreachable {
        url: without_query(url),
        may_have_arrived: !(error.is_connect() || error.is_builder()),
        source: Arc::new(error.without_url()),
    }
}

/// A URL as error messages show it.
pub(crate) fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}
