//! What every request passes, in and out: a well-formed host, a bounded body read whole, a request id, a log line.
//!
//! The body is read before anything is decided, so that a caller whose token dies while he dribbles his body in is judged
//! when he has finished, not when he began.

use std::{
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::{
    api::ApiError,
    refusal::{Refusal, is_oauth},
};
use crate::{
    authority::{Authority, Origin, Unavailable},
    domain::ServiceAccountId,
};

/// The longest body read below `/oauth2`, in bytes. What is too long for a form is refused by the form, which can say what
/// is too long in it.
const OAUTH_BODY_LIMIT_BYTES: usize = 128 * 1024;
/// The longest body read elsewhere, in bytes: room for every field at its longest.
const API_BODY_LIMIT_BYTES: usize = 64 * 1024;
/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest path and query, in bytes.
const URI_LIMIT_BYTES: usize = 8 * 1024;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the door needs to do its work.
pub(super) struct Door {
    /// Random, so that ids of two nodes or two runs do not meet.
    id_prefix: String,
    requests: AtomicU64,
    /// Whether answers carry `Strict-Transport-Security`.
    is_strict: bool,
}

/// The address of the client, put into the request by the server that accepted the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeerAddress(pub(super) IpAddr);

/// Why an answer is a 5xx, left in the response for the log.
#[derive(Clone)]
pub(super) struct Cause(pub(super) Arc<dyn std::error::Error + Send + Sync>);

impl Door {
    pub(super) fn new(authority: &Authority, over_tls: bool) -> Result<Self, Unavailable> {
        Ok(Self {
            id_prefix: authority.random_prefix()?,
            requests: AtomicU64::new(0),
            is_strict: over_tls && is_https_on_a_name(authority.issuer()),
        })
    }

    /// The id that a proxy in front gave, if it is harmless; else one of ours.
    fn request_id(&self, headers: &HeaderMap) -> String {
        headers
            .get(X_REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|id| is_harmless_id(id))
            .map_or_else(
                || {
                    let number = self.requests.fetch_add(1, Ordering::Relaxed);
                    format!("{}-{number:x}", self.id_prefix)
                },
                str::to_owned,
            )
    }
}

/// Lets a request in and its answer out.
pub(super) async fn pass(
    State(door): State<Arc<Door>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let request_id = door.request_id(request.headers());
    let address = request.extensions().get::<PeerAddress>().map(|peer| peer.0);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let uri = request.uri().clone();
    request.extensions_mut().insert(Origin {
        request_id: Some(request_id.clone()),
        address,
    });

    let mut response = match admit(request).await {
        Ok(request) => AssertUnwindSafe(next.run(request))
            .catch_unwind()
            .await
            // The panic hook has printed what and where.
            .unwrap_or_else(|_| Refusal::Internal.at(&uri)),
        Err(refusal) => refusal.at(&uri),
    };
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        error.write_body(&request_id, &mut response);
    }

    log(&Passed {
        method: &method,
        path: shown_path(route.as_ref().map(MatchedPath::as_str), uri.path()),
        status: response.status(),
        cause: response.extensions().get::<Cause>(),
        request_id: &request_id,
        address,
        duration: started.elapsed(),
    });
    let headers = response.headers_mut();
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        headers.insert(X_REQUEST_ID, request_id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if door.is_strict {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    // What is not declared public is not to be kept: tokens, secrets, and who is not allowed to see them.
    // `Pragma` says so to caches of HTTP/1.0 (RFC 6749 §5.1).
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    }
    response
}

/// The answer to a path that is not there.
pub(super) async fn not_found(uri: Uri) -> Response {
    Refusal::NotFound.at(&uri)
}

/// The answer to a method that a path does not take; axum adds `Allow`. OPTIONS asks for just that.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Refusal::MethodNotAllowed.at(&uri)
    }
}

/// Checks what can be checked of any request, and reads its body whole.
async fn admit(request: Request) -> Result<Request, Refusal> {
    if request
        .uri()
        .path_and_query()
        .is_some_and(|target| target.as_str().len() > URI_LIMIT_BYTES)
    {
        return Err(Refusal::UriTooLong);
    }
    if !has_one_host(request.headers()) {
        return Err(Refusal::BadHost);
    }
    if axum::body::HttpBody::is_end_stream(request.body()) {
        return Ok(request);
    }
    let limit = if is_oauth(request.uri()) {
        OAUTH_BODY_LIMIT_BYTES
    } else {
        API_BODY_LIMIT_BYTES
    };
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect())
        .await
        .map_err(|_| Refusal::Timeout)?
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                Refusal::TooLarge
            } else {
                Refusal::Incomplete
            }
        })?;
    Ok(Request::from_parts(parts, Body::from(body.to_bytes())))
}

/// RFC 9110 §7.2, RFC 9112 §3.2. Which host it is does not matter: every URL of ours comes from the configuration.
fn has_one_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    host.to_str()
        .ok()
        .and_then(|host| host.parse::<uri::Authority>().ok())
        .is_some_and(|host| !host.as_str().contains('@') && !host.host().is_empty())
}

/// Whether a URL is one for whose host browsers may be told to use nothing but TLS (RFC 6797). They do not listen to
/// addresses (§8.1.1), and `localhost` is not ours alone.
fn is_https_on_a_name(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else {
        return false;
    };
    let host = url.host().unwrap_or_default();
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    let is_local = host == "localhost" || host.ends_with(".localhost");
    url.scheme_str() == Some("https") && !is_address && !is_local
}

/// An id that can be logged and sent back as it is.
fn is_harmless_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

struct Passed<'a> {
    method: &'a Method,
    path: &'a str,
    status: StatusCode,
    cause: Option<&'a Cause>,
    request_id: &'a str,
    address: Option<IpAddr>,
    duration: Duration,
}

/// What the log shows of a path: nothing that somebody may have put there by mistake, such as a secret for an id.
fn shown_path<'a>(route: Option<&'a str>, path: &'a str) -> &'a str {
    let Some(route) = route else {
        return "(unknown)";
    };
    let is_harmless = path
        .split('/')
        .zip(route.split('/'))
        .all(|(segment, name)| {
            segment == name || (name.starts_with('{') && ServiceAccountId::parse(segment).is_some())
        });
    if is_harmless { path } else { route }
}

/// One line per request: failures of ours as errors, the management API at info, tokens and health checks at debug. Never
/// the query.
fn log(passed: &Passed<'_>) {
    macro_rules! line {
        ($level:ident, $message:literal $(, $field:ident = $value:expr)?) => {
            tracing::$level!(
                method = %passed.method,
                path = passed.path,
                status = passed.status.as_u16(),
                request_id = passed.request_id,
                address = passed.address.map(tracing::field::display),
                duration_ms = passed.duration.as_secs_f64() * 1000.0,
                $($field = $value,)?
                $message
            )
        };
    }
    let is_management = passed.path.starts_with("/api/");
    match passed.cause {
        Some(cause) => line!(error, "request failed", cause = chain(&*cause.0)),
        None if passed.status.is_server_error() => line!(error, "request failed"),
        None if is_management => line!(info, "request"),
        None => line!(debug, "request"),
    }
}

/// An error and its causes on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // A transparent error says what its cause says.
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_well_formed_host_is_asked_for() {
        let hosts = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::HOST, HeaderValue::from_static(value));
            }
            has_one_host(&headers)
        };
        assert!(hosts(&["prokura.example"]));
        assert!(hosts(&["127.0.0.1:8080"]));
        assert!(hosts(&["[::1]:8080"]));
        assert!(!hosts(&[]));
        assert!(!hosts(&["a", "b"]));
        for bad in ["", "a b", "user@host", "a/b", "http://a", ":80"] {
            assert!(!hosts(&[bad]), "{bad:?}");
        }
    }

    #[test]
    fn browsers_are_bound_to_tls_by_a_name_of_our_own_alone() {
        assert!(is_https_on_a_name("https://prokura.example"));
        assert!(is_https_on_a_name("https://prokura.example:8443/p"));
        for url in [
            "http://prokura.example",
            "https://192.0.2.1",
            "https://[2001:db8::1]:8443",
            "https://127.0.0.1:8443",
            "https://localhost:8443",
            "https://prokura.localhost",
        ] {
            assert!(!is_https_on_a_name(url), "{url}");
        }
    }

    #[test]
    fn a_secret_in_a_path_is_not_shown() {
        let route = "/api/v1/service-accounts/{id}";
        let path = "/api/v1/service-accounts/01930a3e-7b1c-7def-8000-0123456789ab";
        assert_eq!(shown_path(Some(route), path), path);
        assert_eq!(
            shown_path(Some(route), "/api/v1/service-accounts/prk_x"),
            route
        );
        assert_eq!(shown_path(None, "/prk_x"), "(unknown)");
    }

    #[test]
    fn a_request_id_from_outside_must_be_harmless() {
        assert!(is_harmless_id("0b6f-A_.1"));
        for id in ["", "a b", "a\n", "\u{e9}", &"a".repeat(129)] {
            assert!(!is_harmless_id(id), "{id:?}");
        }
    }
}
