//! Writes the log line of a request.

use std::time::Instant;

use axum::response::Response;

use super::anonymous_lines::AnonymousLines;
use crate::{
    domain::ServiceAccountId,
    http::{
        cause::Cause,
        exchange::{Exchange, Identity},
    },
};

/// The target of the lines, whatever file they are written in: operators filter by it.
const TARGET: &str = "prokura_server::http";

/// Writes the log lines of requests.
pub(in crate::http) struct LogLines {
    anonymous: AnonymousLines,
}

impl LogLines {
    pub(in crate::http) fn new() -> Self {
        Self {
            anonymous: AnonymousLines::new(Instant::now()),
        }
    }

    /// Writes one line: failures of the server at error, requests to the management API at info, everything else (tokens, health
    /// checks, documents) at debug. The query is never in it. Lines of requests without a proven identity are bounded; one more
    /// line a minute tells how many were omitted.
    pub(in crate::http) fn write(&self, exchange: &Exchange, response: &Response) {
        for omitted in self.anonymous.end_minute(exchange.started) {
            tracing::warn!(
                target: TARGET,
                address = omitted.address.map(tracing::field::display),
                lines = omitted.lines,
                "omitted the log lines of requests without a valid token or secret"
            );
        }
        let status = response.status();
        let cause = response.extensions().get::<Cause>();
        let is_failure = cause.is_some() || status.is_server_error();
        let is_management = exchange.target.path().starts_with("/api/");
        if !is_failure
            && !is_management
            && !tracing::enabled!(target: TARGET, tracing::Level::DEBUG)
        {
            return;
        }
        if exchange.identity().is_none() && !self.anonymous.permit(exchange.peer.address) {
            return;
        }
        write(exchange, response, cause, is_failure, is_management);
    }
}

fn write(
    exchange: &Exchange,
    response: &Response,
    cause: Option<&Cause>,
    is_failure: bool,
    is_management: bool,
) {
    let status = response.status();
    let template = exchange.route.map(|route| route.template);
    let account = exchange.identity().map(account);
    macro_rules! line {
        ($level:ident, $message:literal $(, $field:ident = $value:expr)?) => {
            tracing::$level!(
                target: TARGET,
                method = exchange.method.as_str(),
                path = shown_path(template, exchange.target.path()),
                status = status.as_u16(),
                request_id = exchange.request_id.as_str(),
                address = %exchange.peer.address,
                service_account_id = account.map(tracing::field::display),
                duration_ms = exchange.started.elapsed().as_secs_f64() * 1000.0,
                $($field = $value,)?
                $message
            )
        };
    }
    match cause {
        Some(cause) => line!(error, "request failed", cause = cause.chain()),
        None if is_failure => line!(error, "request failed"),
        None if is_management => line!(info, "request"),
        None => line!(debug, "request"),
    }
}

const fn account(identity: &Identity) -> ServiceAccountId {
    identity.service_account_id
}

/// The path as the log shows it. A segment that varies is shown only if it is an id: a caller may have put a secret there by
/// mistake.
fn shown_path<'a>(template: Option<&'a str>, path: &'a str) -> &'a str {
    let Some(template) = template else {
        return "(unknown)";
    };
    let is_slash = |byte: &u8| *byte == b'/';
    let segments = path.as_bytes().split(is_slash);
    let names = template.as_bytes().split(is_slash);
    let is_harmless = segments
        .zip(names)
        .all(|(segment, name)| segment == name || (name.starts_with(b"{") && is_id(segment)));
    if is_harmless { path } else { template }
}

fn is_id(segment: &[u8]) -> bool {
    let text = std::str::from_utf8(segment);
    text.is_ok_and(|text| ServiceAccountId::parse(text).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_path_is_not_shown() {
        let template = "/api/v1/service-accounts/{id}";
        let path = "/api/v1/service-accounts/01930a3e-7b1c-7def-8000-0123456789ab";
        assert_eq!(shown_path(Some(template), path), path);
        let secret = "/api/v1/service-accounts/prk_x";
        assert_eq!(shown_path(Some(template), secret), template);
        assert_eq!(shown_path(None, "/prk_x"), "(unknown)");
    }
}
