//! Why a call failed.

use std::{sync::Arc, time::Duration};

use prokura_wire::FieldError;
use url::Url;

/// Why a call failed. It never holds a secret or a token, and is cheap to clone: everybody who waited for the same token
/// gets the same failure.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The management API refused.
    #[error(transparent)]
    Api(Arc<ApiError>),

    /// An OAuth endpoint refused: the token endpoint, introspection or revocation.
    #[error(transparent)]
    OAuth(Arc<OAuthError>),

    /// There was no answer: the server could not be reached, or the connection broke.
    #[error("{url} cannot be reached")]
    Unreachable {
        /// What was asked, without the query.
        url: String,
        /// What happened to the connection.
        #[source]
        source: Arc<reqwest::Error>,
        /// Whether the request may have arrived all the same.
        may_have_arrived: bool,
    },

    /// There was no answer in time. The request may have arrived.
    #[error("{url} did not answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// What was asked, without the query.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },

    /// There was an answer, but none that this kind of server gives; a proxy between may have given it.
    #[error("{url} answered {status}, which cannot be understood: {what}")]
    Unintelligible {
        /// What was asked, without the query.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        what: String,
        /// `X-Request-Id`.
        request_id: Option<String>,
        /// When to try again, if the answer said so.
        retry_after: Option<Duration>,
    },

    /// Nothing was sent, since what was asked for makes no sense, or since the secret could not be read.
    #[error("{message}")]
    Invalid {
        /// What is wrong, and how to mend it.
        message: String,
        /// Why, if the system said why.
        #[source]
        source: Option<Arc<std::io::Error>>,
    },

    /// The token request was given up, since the runtime on which it ran has ended.
    #[error("the token request was given up: the runtime on which it ran has ended")]
    Abandoned,
}

/// The management API said no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({status} {code})")]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, for programs; it does not change. `service_account_not_found` is one.
    pub code: String,
    /// What is wrong and how to mend it, for people.
    pub message: String,
    /// The id of the request, also in the server's log.
    pub request_id: String,
    /// With 400: each member or parameter that is wrong.
    pub errors: Vec<FieldError>,
    /// With 403: the scopes that the caller lacks.
    pub missing_scopes: Vec<String>,
    /// When to try again, if the answer said so.
    pub retry_after: Option<Duration>,
}

/// An OAuth endpoint said no (RFC 6749 §5.2).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} ({status} {error})", description.as_deref().unwrap_or("the server refused and did not say why"))]
#[non_exhaustive]
pub struct OAuthError {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, for programs: `invalid_client` and the like.
    pub error: String,
    /// What is wrong, for developers.
    pub description: Option<String>,
    /// `X-Request-Id`, where the server has it.
    pub request_id: Option<String>,
    /// When to try again, if the answer said so.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// The HTTP status. `None`: there was no answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api(error) => Some(error.status),
            Self::OAuth(error) => Some(error.status),
            Self::Unintelligible { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What the server called it: the `code` of the management API, or the `error` of an OAuth endpoint.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api(error) => Some(&error.code),
            Self::OAuth(error) => Some(&error.error),
            _ => None,
        }
    }

    /// The id under which the server's log has the request.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api(error) => Some(&error.request_id),
            Self::OAuth(error) => error.request_id.as_deref(),
            Self::Unintelligible { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// Each member or parameter that is wrong. Empty unless the management API answered 400.
    pub fn field_errors(&self) -> &[FieldError] {
        match self {
            Self::Api(error) => &error.errors,
            _ => &[],
        }
    }

    /// The scopes that the caller lacks. Empty unless the management API answered 403.
    pub fn missing_scopes(&self) -> &[String] {
        match self {
            Self::Api(error) => &error.missing_scopes,
            _ => &[],
        }
    }

    /// How long the server asks to wait before another try (RFC 9110 §10.2.3).
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api(error) => error.retry_after,
            Self::OAuth(error) => error.retry_after,
            Self::Unintelligible { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid {
            message: message.into(),
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

/// A request to `url` that got no answer.
pub(crate) fn unreachable(url: &Url, error: reqwest::Error) -> Error {
    Error::Unreachable {
        url: without_query(url),
        may_have_arrived: !(error.is_connect() || error.is_builder()),
        source: Arc::new(error.without_url()),
    }
}

/// A URL as it may be shown.
pub(crate) fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}
