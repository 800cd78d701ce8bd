//! The error table of the management API: every refusal is an arm of [`ApiError`].

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
    http::{cause::Cause, refusal::Refusal},
};

/// An error of the management API: `{ message, statusCode, code, requestId }`, with `errors` for a 400 and `missingScopes` for a
/// 403.
#[derive(Clone)]
pub(in crate::http) enum ApiError {
    /// Members, parameters or headers of the request are invalid.
    Invalid(Vec<wire::FieldError>),
    /// The body is not `application/json`.
    NotJson,
    /// The body is neither `application/merge-patch+json` nor `application/json`.
    NotMergePatch,
    /// No bearer token. The challenge then has no error code (RFC 6750 §3.1).
    NoToken,
    /// The Authorization header is malformed or repeated.
    MalformedToken,
    /// The token is not an active token for this API.
    InvalidToken,
    /// The token lacks these scopes.
    MissingScopes(Vec<String>),
    /// The caller may not grant these scopes or grantable scopes.
    MissingGrants(Vec<String>),
    /// The organization would have no usable administrator.
    LastAdministrator,
    /// The organization has no such account.
    NotFound,
    /// The account is not in a version that `If-Match` names.
    Stale,
    /// The account has no such live secret.
    NoSecret,
    /// The account has the maximum number of live secrets.
    TooManySecrets,
    /// No rotation is in its grace period.
    NoRotation,
    /// The Idempotency-Key was used for a different request.
    IdempotencyKeyReused,
    /// Refused before the handler, or a bug in it.
    Refused(Refusal),
    /// The store, the clock, randomness or a key is unavailable.
    Unavailable(Cause),
}

impl ApiError {
    /// An error in one field. `message` continues a sentence that begins with the name of the field.
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
                text("the body must be JSON with Content-Type: application/json"),
            ),
            Self::NotMergePatch => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                text(
                    "the body must be JSON with Content-Type: application/merge-patch+json or application/json",
                ),
            ),
            Self::NoToken => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                text(
                    "an access token is required; get one at the token endpoint and send it as Authorization: Bearer <token>",
                ),
            ),
            Self::MalformedToken => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                text("the request must have exactly one header Authorization: Bearer <token>"),
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
                    "the access token lacks the scope {}; request it with the scope parameter, or use an account that holds it",
                    missing.join(" ")
                ),
            ),
            Self::MissingGrants(missing) => (
                StatusCode::FORBIDDEN,
                "insufficient_scope",
                format!(
                    "this changes an account in a way that requires the right to grant {}; use an account that holds management:all, or one that holds these management scopes and has the others among its grantableScopes",
                    missing.join(" ")
                ),
            ),
            Self::LastAdministrator => (
                StatusCode::CONFLICT,
                "last_administrator",
                text(
                    "the organization would have no administrator left: no other enabled account with a live secret holds management:all; create one first",
                ),
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "service_account_not_found",
                text("the service account does not exist"),
            ),
            // RFC 9110 §13.1.1.
            Self::Stale => (
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                text(
                    "the service account has changed; get it again and repeat the change with the new ETag",
                ),
            ),
            Self::NoSecret => (
                StatusCode::NOT_FOUND,
                "secret_not_found",
                text("the service account has no live secret with this id"),
            ),
            Self::TooManySecrets => (
                StatusCode::CONFLICT,
                "too_many_secrets",
                format!(
                    "a service account can have at most {MAX_LIVE_SECRETS} live secrets; delete one first"
                ),
            ),
            Self::NoRotation => (
                StatusCode::CONFLICT,
                "no_rotation_under_way",
                text(
                    "there is no rotation to cancel; no secret of the service account is retiring",
                ),
            ),
            Self::IdempotencyKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                text(
                    "this Idempotency-Key was used for a different request; use a new key for a new request",
                ),
            ),
            Self::Refused(refusal) => (refusal.status(), refusal.code(), text(refusal.message())),
            Self::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                text("the server is temporarily unavailable; try again"),
            ),
        }
    }

    /// The `WWW-Authenticate` header (RFC 6750 §3).
    fn challenge(&self) -> Option<String> {
        const REALM: &str = r#"Bearer realm="prokura""#;
        match self {
            Self::NoToken => Some(REALM.to_owned()),
            Self::MalformedToken => Some(format!(r#"{REALM}, error="invalid_request""#)),
            Self::InvalidToken => Some(format!(r#"{REALM}, error="invalid_token""#)),
            // Scopes contain no quotes (RFC 6749 Appendix A.4).
            Self::MissingScopes(missing) | Self::MissingGrants(missing) => Some(format!(
                r#"{REALM}, error="insufficient_scope", scope="{}""#,
                missing.join(" ")
            )),
            _ => None,
        }
    }

    /// The body.
    pub(in crate::http) fn body(self, request_id: &str) -> wire::ApiError {
        let (status, code, message) = self.table();
        let (errors, missing_scopes) = match self {
            Self::Invalid(errors) => (errors, Vec::new()),
            Self::MissingScopes(missing) | Self::MissingGrants(missing) => (Vec::new(), missing),
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

    /// Writes the body into the response.
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
    /// The response without its body. [`steps::error_body`](crate::http::steps::error_body) adds the body, because it contains the
    /// request id.
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
        Self::Unavailable(Cause::new(error))
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
            GrantScopesError::UnknownGrantable(_) => {
                Self::field("grantableScopes", format!("cannot be granted: {error}"))
            }
        }
    }
}

impl From<CreateServiceAccountError> for ApiError {
    fn from(error: CreateServiceAccountError) -> Self {
        match error {
            CreateServiceAccountError::Scopes(error) => error.into(),
            CreateServiceAccountError::MissingScopes(missing) => Self::MissingGrants(missing),
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
            ChangeError::MissingScopes(missing) => Self::MissingGrants(missing),
            ChangeError::LastAdministrator => Self::LastAdministrator,
            ChangeError::Unavailable(error) => error.into(),
        }
    }
}

impl From<ListError> for ApiError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::InvalidCursor => {
                Self::field("cursor", "must be the nextCursor of a page of this list")
            }
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
            SecretError::TooMuchGrace(most) => Self::field(
                "gracePeriodSeconds",
                format!("must be a whole number from 0 to {most}"),
            ),
            SecretError::Idempotency(error) => error.into(),
            SecretError::Change(error) => error.into(),
        }
    }
}
