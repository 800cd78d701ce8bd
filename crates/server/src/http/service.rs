//! The way of one request through the server: the ordered [`steps`], with the handler in their middle.

use std::{error::Error, panic::AssertUnwindSafe, pin::pin, sync::Arc};

use axum::{
    body::{Body, HttpBody},
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::FutureExt as _;

use super::{
    api::ApiError,
    exchange::{Exchange, Peer, Protocol},
    inline::Inline,
    oauth::OAuthError,
    refusal::Refusal,
    request_id::RequestIds,
    routes,
    routing::{Allow, Endpoint, Operation, Routes},
    steps::{
        body, error_body, head, host::HostCheck, log_line::LogLines,
        response_headers::ResponseHeaders, route, target,
    },
};
use crate::authority::{Authority, Unavailable};

/// The server as a service. Clones share everything.
#[derive(Clone)]
pub(super) struct Service(Arc<Inner>);

struct Inner {
    authority: Arc<Authority>,
    request_ids: RequestIds,
    routes: Routes,
    host: HostCheck,
    response_headers: ResponseHeaders,
    log_lines: LogLines,
}

impl Service {
    /// `over_tls`: every connection to the server is TLS.
    ///
    /// # Errors
    ///
    /// No randomness, which request ids begin with.
    pub(super) fn new(authority: Arc<Authority>, over_tls: bool) -> Result<Self, Unavailable> {
        Ok(Self(Arc::new(Inner {
            request_ids: RequestIds::new(authority.random_prefix()?),
            routes: routes::routes(&authority),
            host: HostCheck::new(authority.issuer()),
            response_headers: ResponseHeaders::new(authority.issuer(), over_tls),
            log_lines: LogLines::new(),
            authority,
        })))
    }

    /// The response to a request of `peer`.
    pub(super) async fn answer<B>(&self, request: Request<B>, peer: Peer) -> Response
    where
        B: HttpBody<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        self.0
            .answer(request, peer, |operation| operation.inline)
            .await
    }
}

impl Inner {
    /// The steps, in order. `inline` chooses how the handler of an operation is called.
    async fn answer<B>(
        &self,
        request: Request<B>,
        peer: Peer,
        inline: impl Fn(&Operation) -> Option<Inline>,
    ) -> Response
    where
        B: HttpBody<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let headers = parts.headers;
        let request_id = self.request_ids.assign(&headers);
        let mut exchange = Exchange::begin(peer, request_id, parts.method, parts.uri);
        let endpoint = route::find(&self.routes, &mut exchange);
        let exchange = Arc::new(exchange);

        let handled = self
            .handle(&exchange, endpoint, headers, body, inline)
            .await;
        let mut response = handled.unwrap_or_else(|refusal| refuse(&exchange, refusal));

        error_body::write(&exchange, &mut response);
        head::strip(&exchange, &mut response);
        self.response_headers.add(&exchange, &mut response);
        self.log_lines.write(&exchange, &response);
        response
    }

    /// The checks in front of the handler, in order, and the handler.
    async fn handle<B>(
        &self,
        exchange: &Arc<Exchange>,
        endpoint: Endpoint<'_>,
        headers: HeaderMap,
        body: B,
        inline: impl Fn(&Operation) -> Option<Inline>,
    ) -> Result<Response, Refusal>
    where
        B: HttpBody<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        target::check(exchange)?;
        self.host.check(&headers)?;
        let body = body::read(exchange, body).await?;
        let operation = match endpoint {
            Endpoint::Operation(operation) => operation,
            Endpoint::Document(respond) => return Ok(respond(&headers).await),
            Endpoint::MethodNotAllowed(allow) => return Ok(not_allowed(exchange, &allow)),
            Endpoint::NotFound => return Err(Refusal::NotFound),
        };
        // Pinned here, so that the future is not moved: it is some kilobytes long.
        let calling = pin!(self.call(operation, exchange, headers, body, inline(operation)));
        // The panic hook has logged the panic.
        AssertUnwindSafe(calling)
            .catch_unwind()
            .await
            .map_err(|_| Refusal::Internal)
    }

    /// Calls the handler of an operation.
    async fn call(
        &self,
        operation: &Operation,
        exchange: &Arc<Exchange>,
        headers: HeaderMap,
        body: Bytes,
        inline: Option<Inline>,
    ) -> Response {
        match inline {
            Some(inline) => inline.call(&self.authority, exchange, headers, body).await,
            None => {
                let request = request(exchange, headers, body);
                (operation.handler)(request, Arc::clone(&self.authority)).await
            }
        }
    }
}

/// The response to a method that the path does not accept. OPTIONS asks for nothing but `Allow` (RFC 9110 §9.3.7).
fn not_allowed(exchange: &Exchange, allow: &Allow) -> Response {
    let mut response = if exchange.method == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refuse(exchange, Refusal::MethodNotAllowed)
    };
    response.headers_mut().insert(header::ALLOW, allow.header());
    response
}

/// The request as extractors take it, with the exchange among its extensions.
fn request(exchange: &Arc<Exchange>, headers: HeaderMap, body: Bytes) -> Request<Body> {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = exchange.method.clone();
    *request.uri_mut() = exchange.target.clone();
    *request.headers_mut() = headers;
    request.extensions_mut().insert(Arc::clone(exchange));
    request
}

/// The response to a refused request, in the error format of its API.
fn refuse(exchange: &Exchange, refusal: Refusal) -> Response {
    let mut response = match exchange.protocol {
        Protocol::OAuth => OAuthError::Refused(refusal).into_response(),
        Protocol::Management => ApiError::Refused(refusal).into_response(),
    };
    if refusal.closes_connection() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fmt::Debug,
        net::Ipv4Addr,
        sync::{
            Mutex,
            atomic::{AtomicU32, AtomicU64, Ordering},
        },
    };

    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use http_body_util::{BodyExt as _, Full};
    use serde_json::Value;
    use tempfile::TempDir;
    use tracing::{
        Event, Subscriber,
        field::{Field, Visit},
    };
    use tracing_subscriber::{
        Layer,
        layer::{Context, SubscriberExt as _},
    };

    use super::*;
    use crate::{
        authority::{Clock, ClockError, Entropy, EntropyError, RotationPolicy, Settings},
        domain::{Name, Resource, Resources, Timestamp, TokenFormat},
        keys::MasterKey,
        store::{Sqlite, SqliteAccess, Store},
    };

    const ISSUER: &str = "http://prokura.example/tenant";
    const METHODS: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PATCH,
        Method::PUT,
        Method::OPTIONS,
        Method::DELETE,
    ];

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Result<Timestamp, ClockError> {
            Ok(Timestamp::from_millis(1_795_435_200_000))
        }
    }

    /// Bytes that are the same in every server.
    #[derive(Default)]
    struct Counter(AtomicU64);

    impl Entropy for Counter {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            for (byte, number) in bytes.iter_mut().zip(number.iter().rev().cycle()) {
                *byte = *number;
            }
            Ok(())
        }
    }

    /// The fields of the log lines of one request, without its duration.
    type Lines = Vec<BTreeMap<String, String>>;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Lines>>);

    impl<S: Subscriber> Layer<S> for Log {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            if event
                .metadata()
                .target()
                .starts_with("prokura_server::http")
            {
                let mut line = Line(BTreeMap::new());
                event.record(&mut line);
                line.0
                    .insert("level".to_owned(), event.metadata().level().to_string());
                assert!(line.0.remove("duration_ms").is_some());
                self.0.lock().unwrap().push(line.0);
            }
        }
    }

    struct Line(BTreeMap<String, String>);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            self.0.insert(field.name().to_owned(), format!("{value:?}"));
        }
    }

    /// Everything that is seen of one exchange.
    #[derive(Debug, PartialEq)]
    struct Seen {
        status: StatusCode,
        headers: Vec<(String, String)>,
        body: String,
        lines: Lines,
    }

    /// A server, and how it calls its handlers.
    struct Server {
        service: Service,
        is_inline: bool,
        /// The operations that were called.
        called: Mutex<BTreeSet<&'static str>>,
        /// The number of requests.
        sent: AtomicU32,
        basic: String,
        log: Log,
        _directory: TempDir,
    }

    impl Server {
        async fn start(is_inline: bool, log: Log) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("prokura.db");
            let store = Store::new(Sqlite::open(&file, SqliteAccess::Server).unwrap());
            let management = Resource {
                identifier: format!("{ISSUER}/api/v1"),
                aliases: Vec::new(),
                scopes: Resources::management_scopes(),
                token_format: TokenFormat::Opaque,
                token_lifetime_seconds: 3600,
            };
            let settings = Settings {
                issuer: ISSUER.to_owned(),
                management,
                configured_resources: Vec::new(),
                rotation: RotationPolicy::default(),
                signing_key_rotation_days: 90,
            };
            let master = MasterKey::from_bytes(&[7; MasterKey::BYTES]).into();
            let entropy = Box::new(Counter::default());
            let opened = Authority::open(store, &master, settings, Box::new(Noon), entropy);
            let authority = Arc::new(opened.await.unwrap());
            let name = |text: &str| Name::parse(text.to_owned()).unwrap();
            let plan = authority
                .plan_bootstrap(name("Acme"), name("Administrator"))
                .unwrap();
            authority.bootstrap_another(&plan).await.unwrap();
            let root = plan.issued();
            let basic = format!("{}:{}", root.account.id.client_id(), root.secret.expose());
            Self {
                service: Service::new(authority, false).unwrap(),
                is_inline,
                called: Mutex::default(),
                sent: AtomicU32::default(),
                basic: format!("Basic {}", BASE64_STANDARD.encode(basic)),
                log,
                _directory: directory,
            }
        }

        async fn send(
            &self,
            method: &Method,
            path: &str,
            authorization: &str,
            body: &'static str,
        ) -> Seen {
            let content_type = if body.starts_with('{') {
                "application/json"
            } else {
                "application/x-www-form-urlencoded"
            };
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", "prokura.example")
                .header("x-request-id", "the-same")
                .header("content-type", content_type)
                .header("authorization", authorization)
                .body(Full::new(Bytes::from_static(body.as_bytes())))
                .unwrap();
            // Each request has an address of its own: the lines of one address are bounded.
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            let peer = Peer {
                address: Ipv4Addr::from_bits(number).into(),
            };
            let response = self.service.0.answer(request, peer, |operation| {
                self.called.lock().unwrap().insert(operation.id);
                operation.inline.filter(|_| self.is_inline)
            });
            let (parts, body) = response.await.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let headers = parts.headers.iter().map(|(name, value)| {
                let value = value.to_str().unwrap();
                (name.to_string(), value.to_owned())
            });
            let mut headers = headers
                // The size of a body can be said by hyper as well.
                .filter(|(name, _)| name != "content-length")
                .collect::<Vec<_>>();
            headers.sort();
            Seen {
                status: parts.status,
                headers,
                body: String::from_utf8_lossy(&body).into_owned(),
                lines: std::mem::take(&mut self.log.0.lock().unwrap()),
            }
        }

        async fn json(&self, path: &str, authorization: &str, body: &'static str) -> Value {
            let seen = self.send(&Method::POST, path, authorization, body).await;
            serde_json::from_str(&seen.body).unwrap()
        }

        /// Sends every method to every path, with and without authorization.
        async fn walk(&self) -> Vec<(String, Seen)> {
            let token = self
                .json(
                    "/oauth2/token",
                    &self.basic,
                    "grant_type=client_credentials",
                )
                .await;
            let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
            let accounts = "/api/v1/service-accounts";
            let account = self.json(accounts, &bearer, r#"{"name":"CI"}"#).await;
            let id = account["serviceAccount"]["id"].as_str().unwrap();
            let account_path = format!("{accounts}/{id}");

            let routes = &self.service.0.routes;
            let operations = routes.operations.iter().map(|route| route.template);
            let documents = routes.documents.iter().map(|(path, _)| *path);
            let others = [
                "/",
                "/oauth2/token/",
                "/api/v1/service-accounts/",
                "/api/v1/service-accounts/prk_x",
                "/api/v1/service-accounts/{id}/",
                "/.well-known/oauth-authorization-server/tenant",
                "/.well-known/jwks.json/tenant",
            ];
            let mut seen = Vec::new();
            for path in operations.chain(documents).chain(others) {
                let path = path.replace("{id}", id).replace("{secretId}", id);
                // The account is deleted in the end.
                for method in &METHODS {
                    if path == account_path && *method == Method::DELETE {
                        continue;
                    }
                    let (authorization, body) = match &*path {
                        path if path.starts_with("/oauth2/") => {
                            (&self.basic, "grant_type=client_credentials&token=unknown")
                        }
                        path if path == accounts => (&bearer, r#"{"name":"Another"}"#),
                        path if path == account_path => (&bearer, r#"{"owner":"Platform"}"#),
                        _ => (&bearer, ""),
                    };
                    for authorization in ["Bearer nothing", authorization] {
                        let request = format!("{method} {path} {authorization}");
                        seen.push((request, self.send(method, &path, authorization, body).await));
                    }
                }
            }
            let deleted = self.send(&Method::DELETE, &account_path, &bearer, "").await;
            assert_eq!(deleted.status, StatusCode::NO_CONTENT);
            seen.push(("DELETE".to_owned(), deleted));
            seen
        }
    }

    #[tokio::test]
    async fn a_handler_answers_the_same_whichever_way_it_is_called() {
        let log = Log::default();
        let lines = tracing_subscriber::registry().with(log.clone());
        let _logging = tracing::subscriber::set_default(lines);
        let inline = Server::start(true, log.clone()).await;
        let boxed = Server::start(false, log).await;
        let operations = inline.service.0.routes.operations.iter();
        let operations = operations
            .flat_map(|route| route.operations)
            .map(|operation| operation.id)
            .collect::<BTreeSet<_>>();

        let (seen, seen_boxed) = (inline.walk().await, boxed.walk().await);
        for server in [&inline, &boxed] {
            assert_eq!(*server.called.lock().unwrap(), operations);
        }
        assert_eq!(seen.len(), seen_boxed.len());
        for ((request, inline), (_, boxed)) in seen.iter().zip(&seen_boxed) {
            assert_eq!(inline, boxed, "{request}");
            assert_eq!(inline.lines.len(), 1, "{request}");
        }
    }
}
