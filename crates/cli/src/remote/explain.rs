//! What a failure means for who typed the command, and what to do next.

use std::error::Error as _;

use prokura_client::{ApiError, Error, OAuthError};

use super::target::Target;
use crate::Failure;

/// The failure to tell. `verbose` adds what the server and the system said of it.
pub(crate) fn failure(error: &Error, target: &Target, verbose: bool) -> Failure {
    let mut failure = Failure::new(message(error, target));
    if verbose {
        failure.details = details(error, target);
    }
    failure
}

fn message(error: &Error, target: &Target) -> String {
    match error {
        Error::Api(refusal) => management_api(refusal, target),
        Error::OAuth(refusal) => oauth(refusal, target),
        Error::Unreachable { url, .. } => {
            let cause = root_cause(error);
            format!(
                "{url} cannot be reached: {cause}; {}",
                unreachable_hint(&cause, target)
            )
        }
        Error::TimedOut { .. } => {
            format!("{error}; is the URL right? It is from {}", target.url.from)
        }
        Error::UnexpectedResponse { .. } => format!(
            "{error}; is there a Prokura at {}? The URL is from {}",
            target.url.value, target.url.from
        ),
        Error::Invalid {
            source: Some(source),
            ..
        } => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}

fn unreachable_hint(cause: &str, target: &Target) -> String {
    let from = &target.url.from;
    if cause.contains("certificate") || cause.contains("UnknownIssuer") {
        return format!(
            "if its certificate is of an authority of your own, name that one's file in SSL_CERT_FILE (the URL is from {from})"
        );
    }
    format!("is `prokura serve` running there, and is the URL right? It is from {from}")
}

fn management_api(refusal: &ApiError, target: &Target) -> String {
    let client = format!("{} ({})", target.client_id.value, target.client_id.from);
    match refusal.code.as_str() {
        "insufficient_scope" => format!(
            "the service account {client} lacks {}: use one that has it (--profile), or let somebody who has it grant it with \
             `prokura service-accounts update {} --scope …`",
            refusal.missing_scopes.join(" "),
            target.client_id.value,
        ),
        "service_account_not_found" => format!(
            "{} in the organization of {client}; `prokura service-accounts list` shows those that there are",
            refusal.message
        ),
        "secret_not_found" => format!(
            "{}; `prokura service-accounts secrets list` shows those that there are",
            refusal.message
        ),
        "too_many_secrets" => format!(
            "{}: `prokura service-accounts secrets delete`, or rotate without --grace",
            refusal.message
        ),
        "invalid_token" => format!(
            "{}; it was the second one, so the service account {client} may just have been disabled, have expired or been \
             deleted",
            refusal.message
        ),
        _ => refusal.message.clone(),
    }
}

fn oauth(refusal: &OAuthError, target: &Target) -> String {
    let said = refusal.description.as_deref().unwrap_or(&refusal.error);
    match refusal.error.as_str() {
        "invalid_client" => unknown_client(target),
        "invalid_scope" => format!(
            "{said}; what {} may ask for is shown by `prokura service-accounts get {0}`",
            target.client_id.value
        ),
        "invalid_target" => format!(
            "{said}; an API of your own needs a [[resources]] table in the server's configuration, and {} one of its scopes",
            target.client_id.value
        ),
        "insufficient_scope" => format!(
            "{said}, which {} lacks: use a service account that has it (--profile), or let somebody who has it grant it",
            target.client_id.value
        ),
        _ => said.to_owned(),
    }
}

/// The server does not say why, so that strangers learn nothing; its audit trail does.
fn unknown_client(target: &Target) -> String {
    let client_id = &target.client_id.value;
    let why = if client_id.starts_with("sa_") {
        format!(
            ". Who may read the audit trail sees why: `prokura audit list --action refuse_login --service-account {client_id}`"
        )
    } else {
        String::new()
    };
    format!(
        "{} does not know this client id with this secret: the secret is wrong or has ended, or the service account is \
         disabled, expired or deleted. The client id is {client_id} from {}, the secret from {}{why}",
        target.url.value,
        target.client_id.from,
        target.secret_origin()
    )
}

/// Everything that is known beside the message.
fn details(error: &Error, target: &Target) -> Vec<String> {
    let mut details = vec![format!(
        "server: {} ({})",
        target.url.value, target.url.from
    )];
    if let Some(status) = error.status() {
        details.push(format!(
            "status: {status} {}",
            error.code().unwrap_or_default()
        ));
    }
    if let Some(id) = error.request_id() {
        details.push(format!("request id: {id}"));
    }
    if let Some(pause) = error.retry_after() {
        details.push(format!("try again in: {} s", pause.as_secs()));
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
