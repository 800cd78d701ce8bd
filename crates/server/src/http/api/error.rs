//! Every way in which the management API says no.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use prokura_wire as wire;

use crate::{
    authority::{
        AuthenticateBearerError, ChangeError, CreateServiceAccountError, GetServiceAccountError,
        GrantScopesError, IdempotencyError, ListError, SecretError, Unavailable,
        UpdateServiceAccountError,
    },
    domain::MAX_LIVE_SECRETS,
    http::{door::Cause, refusal::Refusal},
};

/// DESIGN: `{ message, statusCode, code, requestId }`, with 400 the fields, with 403 the scopes.
#[derive(Clone)]
pub(in crate::http) enum ApiError {
    /// The request is not one, with what is wrong in it.
    Invalid(Vec<wire::FieldError>),
    /// The body is not of this type.
    NotJson,
    /// Nor of this one.
    NotMergePatch,
    /// No bearer token (RFC 6750 §3.1: then no error code either).
    NoToken,
    /// The Authorization header cannot be read.
    MalformedToken,
    /// A token, but no living one for this API.
    InvalidToken,
    /// The token or its bearer lacks these scopes.
    MissingScopes(Vec<String>),
    /// The organization has no such account.
    NotFound,
    /// The account is not in a state that `If-Match` names.
    Stale,
    /// The account has no such living secret.
    NoSecret,
    /// The account has as many living secrets as it may have.
    TooManySecrets,
    /// There is no rotation to cancel.
    NoRotation,
    /// The Idempotency-Key names another request.
    IdempotencyKeyReused,
    /// Refused at the door.
    Refused(Refusal),
    /// No store, no key, no clock.
    Unavailable(Cause),
}

impl ApiError {
    /// One field that is wrong.
    pub(super) fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![wire::FieldError {
            field: field.to_owned(),
            message: message.into(),
        }])
    }

    fn table(&self) -> (StatusCode, &'static str, String) {
        let text = str::to_owned;
        match self {
            Self::Invalid(errors) => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                errors
                    .iter()
                    .map(|error| format!("{} {}", error.field, error.message))
                    .collect::<Vec<_>>()
                    .join("; "),
            ),
            Self::NotJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                text("the body must be JSON, sent with Content-Type: application/json"),
            ),
            Self::NotMergePatch => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                text(
                    "the body must be JSON, sent with Content-Type: application/merge-patch+json or application/json",
                ),
            ),
            Self::NoToken => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                text(
                    "this needs an access token: get one at the token endpoint and send it as Authorization: Bearer \
                     <token>",
                ),
            ),
            Self::MalformedToken => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                text("the request needs exactly one header Authorization: Bearer <token>"),
            ),
            Self::InvalidToken => (
                StatusCode::UNAUTHORIZED,
                "invalid_token",
                text(
                    "the access token is invalid, expired, revoked or for another resource; get a new one",
                ),
            ),
            Self::MissingScopes(missing) => (
                StatusCode::FORBIDDEN,
                "insufficient_scope",
                format!(
                    "the access token lacks {}; ask for it with the scope parameter, or use an account that has it",
                    missing.join(" ")
                ),
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "service_account_not_found",
                text("there is no such service account"),
            ),
            // RFC 9110 §13.1.1.
            Self::Stale => (
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                text(
                    "the service account has changed since: get it again, and repeat the change with its new ETag",
                ),
            ),
            Self::NoSecret => (
                StatusCode::NOT_FOUND,
                "secret_not_found",
                text("the service account has no such living secret"),
            ),
            Self::TooManySecrets => (
                StatusCode::CONFLICT,
                "too_many_secrets",
                format!(
                    "a service account may have at most {MAX_LIVE_SECRETS} living secrets; end one first"
                ),
            ),
            Self::NoRotation => (
                StatusCode::CONFLICT,
                "no_rotation_under_way",
                text("there is no rotation to cancel: no secret of this account is retiring"),
            ),
            Self::IdempotencyKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                text(
                    "this Idempotency-Key was used for a request that asks for something else; use a new one for a new \
                     request",
                ),
            ),
            Self::Refused(refusal) => (refusal.status(), refusal.code(), text(refusal.message())),
            Self::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                text("the server cannot answer just now; try again"),
            ),
        }
    }

    /// RFC 6750 §3.
    fn challenge(&self) -> Option<String> {
        const REALM: &str = r#"Bearer realm="prokura""#;
        match self {
            Self::NoToken => Some(REALM.to_owned()),
            Self::MalformedToken => Some(format!(r#"{REALM}, error="invalid_request""#)),
            Self::InvalidToken => Some(format!(r#"{REALM}, error="invalid_token""#)),
            // The scopes are ours, out of a grammar without quotes.
            Self::MissingScopes(missing) => Some(format!(
                r#"{REALM}, error="insufficient_scope", scope="{}""#,
                missing.join(" ")
            )),
            _ => None,
        }
    }

    /// The body, which names the request.
    pub(in crate::http) fn body(self, request_id: &str) -> wire::ApiError {
        let (status, code, message) = self.table();
        let (errors, missing_scopes) = match self {
            Self::Invalid(errors) => (errors, Vec::new()),
            Self::MissingScopes(missing) => (Vec::new(), missing),
            _ => (Vec::new(), Vec::new()),
        };
        wire::ApiError {
            message,
            status_code: status.as_u16(),
            code: code.to_owned(),
            request_id: request_id.to_owned(),
            errors,
            missing_scopes,
        }
    }

    /// Writes the body into the answer: the door knows the request's id.
    pub(in crate::http) fn write_body(self, request_id: &str, response: &mut Response) {
        let json = serde_json::to_vec(&self.body(request_id))
            .expect("an error is made of strings and numbers");
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(json.len()));
        *response.body_mut() = Body::from(json);
    }
}

impl IntoResponse for ApiError {
    /// The answer without its body, which [`Self::write_body`] adds.
    fn into_response(self) -> Response {
        let mut response = self.table().0.into_response();
        let challenge = self.challenge();
        if let Some(challenge) = challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Self::Unavailable(cause) = &self {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            response.extensions_mut().insert(cause.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Unavailable> for ApiError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(Cause(Arc::new(error)))
    }
}

impl From<AuthenticateBearerError> for ApiError {
    fn from(error: AuthenticateBearerError) -> Self {
        match error {
            AuthenticateBearerError::InvalidToken => Self::InvalidToken,
            AuthenticateBearerError::Unavailable(error) => error.into(),
        }
    }
}

impl From<GrantScopesError> for ApiError {
    fn from(error: GrantScopesError) -> Self {
        match error {
            GrantScopesError::Unknown(_) | GrantScopesError::TooMany => {
                Self::field("scopes", format!("cannot be granted: {error}"))
            }
            GrantScopesError::Missing(missing) => Self::MissingScopes(missing),
        }
    }
}

impl From<CreateServiceAccountError> for ApiError {
    fn from(error: CreateServiceAccountError) -> Self {
        match error {
            CreateServiceAccountError::Scopes(error) => error.into(),
            CreateServiceAccountError::Labels(error) => Self::field("labels", error.to_string()),
            CreateServiceAccountError::Idempotency(error) => error.into(),
            CreateServiceAccountError::Unavailable(error) => error.into(),
        }
    }
}

impl From<UpdateServiceAccountError> for ApiError {
    fn from(error: UpdateServiceAccountError) -> Self {
        match error {
            UpdateServiceAccountError::Scopes(error) => error.into(),
            UpdateServiceAccountError::Labels(error) => Self::field("labels", error.to_string()),
            UpdateServiceAccountError::Change(error) => error.into(),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => Self::NotFound,
            ChangeError::Stale => Self::Stale,
            ChangeError::Unavailable(error) => error.into(),
        }
    }
}

impl From<ListError> for ApiError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::InvalidCursor => Self::field(
                "cursor",
                "must be the nextCursor of an earlier page of this list",
            ),
            ListError::Unavailable(error) => error.into(),
        }
    }
}

impl From<GetServiceAccountError> for ApiError {
    fn from(error: GetServiceAccountError) -> Self {
        match error {
            GetServiceAccountError::NotFound => Self::NotFound,
            GetServiceAccountError::Unavailable(error) => error.into(),
        }
    }
}

impl From<IdempotencyError> for ApiError {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::KeyReused => Self::IdempotencyKeyReused,
            IdempotencyError::Unavailable(error) => error.into(),
        }
    }
}

impl From<SecretError> for ApiError {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::NoSecret => Self::NoSecret,
            SecretError::TooMany => Self::TooManySecrets,
            SecretError::NoRotation => Self::NoRotation,
            SecretError::MissingScopes(missing) => Self::MissingScopes(missing),
            SecretError::TooMuchGrace(most) => Self::field(
                "gracePeriodSeconds",
                format!("must be a whole number from 0 to {most}"),
            ),
            SecretError::Idempotency(error) => error.into(),
            SecretError::Change(error) => error.into(),
        }
    }
}
