//! Turns an error of the SDK into an error and a hint for the user of the command line.

use std::error::Error as _;

use prokura_client::{ApiError, Error, OAuthError};

use super::target::Target;
use crate::failure::Failure;

/// The failure to print. `verbose` adds the status, the request ID and the error chain.
pub(crate) fn failure(error: &Error, target: &Target, verbose: bool) -> Failure {
    let mut failure = explained(error, target);
    if verbose {
        failure.details.extend(details(error, target));
    }
    failure
}

fn explained(error: &Error, target: &Target) -> Failure {
    let url_origin = &target.url.origin;
    match error {
        Error::Api(refusal) => management_api(refusal, target),
        Error::OAuth(refusal) => oauth(refusal, target),
        Error::Unreachable { .. } => {
            let cause = root_cause(error);
            let hint = if cause.contains("certificate") || cause.contains("UnknownIssuer") {
                "if the certificate is from a private authority, set SSL_CERT_FILE to the certificate file of that authority"
                    .to_owned()
            } else {
                format!(
                    "check that the server is running and that the URL, from {url_origin}, is right"
                )
            };
            Failure::new(format!("{error}: {cause}")).hint(hint)
        }
        Error::TimedOut { .. } => {
            Failure::new(error).hint(format!("check the URL, which is from {url_origin}"))
        }
        Error::UnexpectedResponse { .. } => {
            let hint = hint_of(error).unwrap_or_default();
            Failure::new(error).hint(format!("{hint}; the URL is from {url_origin}"))
        }
        _ => Failure {
            hint: hint_of(error),
            ..Failure::new(match error.source() {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            })
        },
    }
}

/// The hint of the SDK, in the style of the command line: lowercase, without a full stop.
fn hint_of(error: &Error) -> Option<String> {
    let mut characters = error.hint()?.trim_end_matches('.').chars();
    let first = characters.next()?.to_ascii_lowercase();
    Some(std::iter::once(first).chain(characters).collect())
}

fn management_api(refusal: &ApiError, target: &Target) -> Failure {
    let client_id = &target.client_id.value;
    let failure = problem_and_remedy(&refusal.message, refusal.status);
    match refusal.code.as_str() {
        // The other kind, the right to grant scopes, is explained by the server.
        "insufficient_scope" if refusal.message.starts_with("the access token lacks") => {
            lacks(&refusal.missing_scopes.join(" "), target)
        }
        "invalid_request" => invalid_request(refusal),
        "service_account_not_found" => failure.hint(
            "run `prokura service-accounts list` to see the service accounts of the organization",
        ),
        "secret_not_found" => {
            failure.hint("run `prokura service-accounts secrets list ID` to see the secrets")
        }
        "too_many_secrets" => failure.hint(
            "delete one with `prokura service-accounts secrets delete`, or rotate without --grace",
        ),
        "invalid_token" => Failure::new(format!("the access token of {client_id} was rejected"))
            .hint("the service account may have been disabled or deleted, or its tokens were revoked; try again"),
        "no_rotation_under_way" => Failure::new(&refusal.message),
        _ => failure,
    }
}

fn oauth(refusal: &OAuthError, target: &Target) -> Failure {
    let client_id = &target.client_id.value;
    let description = refusal.description.as_deref().unwrap_or(&refusal.error);
    match refusal.error.as_str() {
        "invalid_client" => invalid_client(target),
        "invalid_scope" => Failure::new(description).hint(format!(
            "run `prokura service-accounts get {client_id}` to see the scopes of the account"
        )),
        "invalid_target" => Failure {
            hint: Some(format!(
                "`prokura service-accounts get {client_id}` shows its scopes; your own APIs need a [[resources]] table in \
                 the server's configuration"
            )),
            ..problem_and_remedy(description, refusal.status)
        },
        "insufficient_scope" => {
            Failure::new(format!("{description}, which {client_id} lacks")).hint(GRANT_SCOPE)
        }
        _ => problem_and_remedy(description, refusal.status),
    }
}

const GRANT_SCOPE: &str = "use a service account that has the scope (--profile), or have it added with \
                           `prokura service-accounts update ID --scope …`";

fn lacks(scopes: &str, target: &Target) -> Failure {
    let client_id = &target.client_id;
    Failure::new(format!(
        "{} (from {}) lacks {scopes}",
        client_id.value, client_id.origin
    ))
    .hint(GRANT_SCOPE)
}

/// The first invalid field is the error. The others follow as details.
fn invalid_request(refusal: &ApiError) -> Failure {
    let mut fields = refusal
        .errors
        .iter()
        .map(|error| format!("{} {}", shown_field(&error.field), error.message));
    match fields.next() {
        Some(first) => Failure {
            details: fields.collect(),
            ..Failure::new(first)
        },
        None => Failure::new(&refusal.message),
    }
}

/// A field of a request as the command line names it: by its flag.
fn shown_field(field: &str) -> &str {
    match field {
        "description" => "--description",
        "scopes" => "--scope",
        "grantableScopes" => "--grantable-scope",
        "owner" => "--owner",
        "labels" => "--label",
        "tokenLifetimeSeconds" => "--token-lifetime",
        "expiresAt" => "--expires-at",
        "gracePeriodSeconds" => "--grace",
        "expiresInSeconds" => "--expires-in",
        field => field,
    }
}

/// The server does not say why it rejects credentials. Its audit trail does.
fn invalid_client(target: &Target) -> Failure {
    let client_id = &target.client_id.value;
    let hint = if let Some(id) = client_id.strip_prefix("sa_") {
        format!(
            "the secret is wrong or expired, or the account is disabled; see why with \
             `prokura audit list --action refuse_login --service-account {id}`"
        )
    } else {
        "check the client ID: that of a service account begins with sa_".to_owned()
    };
    Failure::new(format!(
        "{} rejected the client ID {client_id} (from {}) with the secret from {}",
        target.url.value,
        target.client_id.origin,
        target.secret_origin()
    ))
    .hint(hint)
}

/// A message of the server has the form `problem; remedy`, or is a problem only.
fn problem_and_remedy(message: &str, status: u16) -> Failure {
    if let Some((problem, remedy)) = message.split_once("; ") {
        return Failure::new(problem).hint(remedy);
    }
    let failure = Failure::new(message);
    if status < 500 {
        return failure;
    }
    failure.hint("try again later; --verbose shows the request ID, which is in the server's log")
}

/// Everything that is known about the error.
fn details(error: &Error, target: &Target) -> Vec<String> {
    let mut details = vec![format!(
        "server: {} (from {})",
        target.url.value, target.url.origin
    )];
    if let Some(status) = error.status() {
        details.push(format!(
            "status: {status} {}",
            error.code().unwrap_or_default()
        ));
    }
    if let Some(id) = error.request_id() {
        details.push(format!("request ID: {id}"));
    }
    if let Some(pause) = error.retry_after() {
        details.push(format!("retry after: {} s", pause.as_secs()));
    }
    details.push(format!("error: {error}"));
    let mut source = error.source();
    while let Some(cause) = source {
        details.push(format!("caused by: {cause}"));
        source = cause.source();
    }
    details
}

fn root_cause(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
