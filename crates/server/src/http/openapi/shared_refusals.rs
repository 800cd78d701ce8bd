//! The refusals that operations have in common. Their examples come from the error tables.

use std::collections::BTreeMap;

use prokura_wire as wire;
use serde_json::{Value, json};
use utoipa::openapi::{
    Content, Ref, RefOr, Response,
    path::{Operation, ParameterIn},
};

use super::operation::{is_managed, needs_body, request_id_header, takes, text_header};
use crate::{
    authority::{ClockError, Unavailable},
    http::{api::ApiError, oauth::OAuthError, refusal::Refusal},
};

/// A response for the components of the document.
struct Shared {
    status: &'static str,
    name: &'static str,
    description: &'static str,
    schema: &'static str,
    example: Value,
    /// The further header of the response and its description.
    header: Option<(&'static str, &'static str)>,
}

const CHALLENGE: &str = "How to authenticate (RFC 6750 §3, RFC 7617 §2)";
const RETRY_AFTER: &str = "When to retry, in seconds";

fn api(
    status: &'static str,
    name: &'static str,
    description: &'static str,
    error: ApiError,
) -> Shared {
    let example = error.body("7b53ae80ce13c024-5");
    Shared {
        status,
        name,
        description,
        schema: "ApiError",
        example: json!(example),
        header: header(status),
    }
}

fn oauth(
    status: &'static str,
    name: &'static str,
    description: &'static str,
    error: OAuthError,
) -> Shared {
    Shared {
        status,
        name,
        description,
        schema: "OAuthError",
        example: json!(error.body()),
        header: header(status),
    }
}

fn header(status: &str) -> Option<(&'static str, &'static str)> {
    match status {
        "401" | "403" => Some(("WWW-Authenticate", CHALLENGE)),
        "503" => Some(("Retry-After", RETRY_AFTER)),
        _ => None,
    }
}

fn of_management() -> Vec<Shared> {
    let wrong = vec![wire::FieldError {
        field: "limit".to_owned(),
        message: "must be a number from 1 to 200".to_owned(),
    }];
    let missing = vec!["management:service-accounts:write".to_owned()];
    vec![
        api(
            "400",
            "BadRequest",
            "A member, parameter, header or id is invalid, missing, unknown or repeated; `errors` lists each",
            ApiError::Invalid(wrong),
        ),
        api(
            "401",
            "Unauthorized",
            "The access token is missing, invalid, expired, revoked, or for another resource",
            ApiError::InvalidToken,
        ),
        api(
            "403",
            "Forbidden",
            "The access token lacks a scope, or the caller may not grant one; `missingScopes` lists them",
            ApiError::MissingScopes(missing),
        ),
        api(
            "404",
            "NotFound",
            "The service account does not exist",
            ApiError::NotFound,
        ),
        api(
            "408",
            "RequestTimeout",
            "The body did not arrive within 10 s",
            ApiError::Refused(Refusal::Timeout),
        ),
        api(
            "412",
            "PreconditionFailed",
            "The service account has changed; its ETag is not the one in `If-Match`",
            ApiError::Stale,
        ),
        api(
            "413",
            "ContentTooLarge",
            "The body is larger than 64 KiB",
            ApiError::Refused(Refusal::TooLarge),
        ),
        api(
            "415",
            "UnsupportedMediaType",
            "The body is not JSON",
            ApiError::NotJson,
        ),
        api(
            "500",
            "ServerError",
            "A bug in the server; the server's log has the cause",
            ApiError::Refused(Refusal::Internal),
        ),
        api(
            "503",
            "Unavailable",
            "The server is temporarily unavailable; retry",
            Unavailable::from(ClockError).into(),
        ),
    ]
}

fn of_oauth() -> Vec<Shared> {
    vec![
        oauth(
            "400",
            "OAuthBadRequest",
            "`invalid_request`; at the token endpoint also `unsupported_grant_type`, `invalid_scope` and `invalid_target`",
            OAuthError::InvalidScope,
        ),
        oauth(
            "401",
            "OAuthInvalidClient",
            "`invalid_client`: client authentication failed",
            OAuthError::InvalidClient,
        ),
        oauth(
            "408",
            "OAuthRequestTimeout",
            "The form did not arrive within 10 s",
            OAuthError::Refused(Refusal::Timeout),
        ),
        oauth(
            "413",
            "OAuthContentTooLarge",
            "The form is larger than 16 KiB",
            OAuthError::Refused(Refusal::TooLarge),
        ),
        oauth(
            "500",
            "OAuthServerError",
            "A bug in the server; the server's log has the cause",
            OAuthError::Refused(Refusal::Internal),
        ),
        oauth(
            "503",
            "OAuthUnavailable",
            "The server is temporarily unavailable; retry",
            Unavailable::from(ClockError).into(),
        ),
    ]
}

/// The shared refusals as components of the document.
pub(super) fn responses() -> BTreeMap<String, RefOr<Response>> {
    let all = of_management().into_iter().chain(of_oauth());
    all.map(|shared| (shared.name.to_owned(), RefOr::T(shared.response())))
        .collect()
}

/// Adds the refusals that an operation can answer with, as its path, security, body and parameters tell. A status that the
/// handler declares itself is kept.
pub(super) fn add(path: &str, operation: &mut Operation) {
    let has_body = needs_body(operation).is_some();
    let is_about_an_account = path.contains("{id}");
    let is_conditional = takes(operation, "If-Match", &ParameterIn::Header);
    let is_managed = is_managed(operation);
    let shared = if path.starts_with("/oauth2/") {
        of_oauth()
    } else {
        of_management()
    };
    for refusal in shared {
        let applies = match refusal.status {
            "401" | "403" if !path.starts_with("/oauth2/") => is_managed,
            "404" => is_about_an_account,
            "408" | "413" | "415" => has_body,
            "412" => is_conditional,
            _ => true,
        };
        if applies {
            let reference = RefOr::Ref(Ref::from_response_name(refusal.name));
            let responses = &mut operation.responses.responses;
            responses
                .entry(refusal.status.to_owned())
                .or_insert(reference);
        }
    }
}

impl Shared {
    fn response(self) -> Response {
        let mut content = Content::new(Some(Ref::from_schema_name(self.schema)));
        content.example = Some(self.example);
        let mut response = Response::new(self.description);
        response
            .content
            .insert("application/json".to_owned(), content.into());
        let (name, header) = request_id_header();
        response.headers.insert(name, RefOr::T(header));
        if let Some((name, description)) = self.header {
            let (name, header) = text_header(name, description);
            response.headers.insert(name, RefOr::T(header));
        }
        response
    }
}
