//! What every request passes, in and out: a well-formed host, a bounded body read whole, a request id, a log line.
//!
//! The body is read before anything is decided, so that a caller whose token dies while he dribbles his body in is judged
//! when he has finished, not when he began.

use std::{
    net::IpAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use axum::{
    body::HttpBody as Body,
    extract::MatchedPath,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts, uri,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::{
    api::ApiError,
    direct::Direct,
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
    /// What `Host` says when a client calls the server as it calls itself.
    host: Option<uri::Authority>,
    /// Random, so that ids of two nodes or two runs do not meet.
    id_prefix: String,
    requests: AtomicU64,
    /// Whether answers carry `Strict-Transport-Security`.
    is_strict: bool,
}

/// A request that is inside, and what its answer needs to get out.
pub(super) struct Passing<'r> {
    door: &'r Door,
    started: Instant,
    request_id: HeaderValue,
    address: IpAddr,
    method: &'r Method,
    uri: &'r Uri,
    /// The operation at its path, whatever its method, if there is a direct way to it.
    at: Option<Direct>,
}

/// Why an answer is a 5xx, left in the response for the log.
#[derive(Clone)]
pub(super) struct Cause(pub(super) Arc<dyn std::error::Error + Send + Sync>);

impl Door {
    pub(super) fn new(authority: &Authority, over_tls: bool) -> Result<Self, Unavailable> {
        let url = authority.issuer().parse::<Uri>().ok();
        Ok(Self {
            host: url.and_then(|url| url.authority().cloned()),
            id_prefix: authority.random_prefix()? + "-",
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
                    [&*self.id_prefix, itoa::Buffer::new().format(number)].concat()
                },
                str::to_owned,
            )
    }

    /// Lets a request of the client at `address` in, and says where it comes from.
    pub(super) fn enter<'r>(
        &'r self,
        method: &'r Method,
        uri: &'r Uri,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> (Passing<'r>, Origin) {
        let request_id = self.request_id(headers);
        let passing = Passing {
            door: self,
            started: Instant::now(),
            request_id: HeaderValue::from_str(&request_id).expect("a harmless id fits a header"),
            address,
            method,
            uri,
            at: Direct::at(uri.path()),
        };
        let origin = Origin {
            request_id: Some(request_id),
            address: Some(address),
        };
        (passing, origin)
    }

    /// Checks what can be checked of any request, and reads its body whole.
    pub(super) async fn admit<B>(&self, parts: &Parts, body: B) -> Result<Bytes, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if parts
            .uri
            .path_and_query()
            .is_some_and(|target| target.as_str().len() > URI_LIMIT_BYTES)
        {
            return Err(Refusal::UriTooLong);
        }
        if !has_one_host(&parts.headers, self.host.as_ref()) {
            return Err(Refusal::BadHost);
        }
        let limit = if is_oauth(&parts.uri) {
            OAUTH_BODY_LIMIT_BYTES
        } else {
            API_BODY_LIMIT_BYTES
        };
        let mut reading = pin!(read_whole(Limited::new(body, limit)));
        // Mostly it came with the head, and nobody has to be timed.
        let read = match futures_util::poll!(reading.as_mut()) {
            Poll::Ready(read) => read,
            Poll::Pending => tokio::time::timeout(BODY_TIMEOUT, reading)
                .await
                .map_err(|_| Refusal::Timeout)?,
        };
        read.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Refusal::TooLarge
            } else {
                Refusal::Incomplete
            }
        })
    }
}

impl Passing<'_> {
    fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// The direct way that the request takes, if there is one.
    pub(super) fn direct(&self) -> Option<Direct> {
        self.at.filter(|direct| direct.is_asked_with(self.method))
    }

    /// The answer to whoever is refused before a handler knows of him, or because of a bug in one.
    pub(super) fn refuse(&self, refusal: Refusal) -> Response {
        refusal.at(self.uri)
    }

    /// Lets an answer out.
    pub(super) fn leave_with(self, mut response: Response) -> Response {
        let extensions = response.extensions_mut();
        if !extensions.is_empty()
            && let Some(error) = extensions.remove::<ApiError>()
        {
            error.write_body(self.request_id(), &mut response);
        }
        self.log(&response);
        self.stamp(&mut response);
        response
    }

    /// Adds what every answer has.
    fn stamp(self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, self.request_id);
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        if self.door.is_strict {
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
    }

    /// One line per request: failures of ours as errors, the management API at info, tokens and health checks at debug.
    /// Never the query.
    fn log(&self, response: &Response) {
        let status = response.status();
        let cause = response.extensions().get::<Cause>();
        let is_failure = cause.is_some() || status.is_server_error();
        let is_management = self.uri.path().starts_with("/api/");
        if !is_failure && !is_management && !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let path = match self.uri.path() {
            path if self.at.is_some() => path,
            path => {
                let route = response.extensions().get::<MatchedPath>();
                shown_path(route.map(MatchedPath::as_str), path)
            }
        };
        macro_rules! line {
            ($level:ident, $message:literal $(, $field:ident = $value:expr)?) => {
                tracing::$level!(
                    method = self.method.as_str(),
                    path,
                    status = status.as_u16(),
                    request_id = self.request_id(),
                    address = %self.address,
                    duration_ms = self.started.elapsed().as_secs_f64() * 1000.0,
                    $($field = $value,)?
                    $message
                )
            };
        }
        match cause {
            Some(cause) => line!(error, "request failed", cause = chain(&*cause.0)),
            None if is_failure => line!(error, "request failed"),
            None if is_management => line!(info, "request"),
            None => line!(debug, "request"),
        }
    }
}

/// The data of a body; what came in one piece is not copied. Trailers mean nothing here.
async fn read_whole<B: Body<Data = Bytes>>(body: B) -> Result<Bytes, B::Error> {
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut whole = Vec::new();
    while !body.is_end_stream()
        && let Some(frame) = body.frame().await
    {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if first.is_empty() {
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.into()
    })
}

/// Leaves in the answer which route it is the answer of, for the log.
pub(super) async fn remember_route(request: axum::extract::Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
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

/// RFC 9110 §7.2, RFC 9112 §3.2. Which host it is does not matter: every URL of ours comes from the configuration.
fn has_one_host(headers: &HeaderMap, ours: Option<&uri::Authority>) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    // What is mostly said need not be parsed.
    if ours.is_some_and(|ours| host == ours.as_str()) {
        return true;
    }
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
        let ours = "prokura.example".parse().ok();
        let hosts = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::HOST, HeaderValue::from_static(value));
            }
            has_one_host(&headers, ours.as_ref())
        };
        assert!(hosts(&["prokura.example"]));
        assert!(hosts(&["127.0.0.1:8080"]));
        assert!(hosts(&["[::1]:8080"]));
        assert!(!hosts(&[]));
        assert!(!hosts(&["a", "b"]));
        assert!(!hosts(&["prokura.example", "prokura.example"]));
        assert!(hosts(&["elsewhere.example"]));
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
