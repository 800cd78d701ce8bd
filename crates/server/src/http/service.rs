//! One request's way: through the door, to its handler, and out.

use std::{mem::take, net::IpAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, request::Parts},
    response::Response,
};
use bytes::Bytes;
use futures_util::FutureExt as _;
use tower::ServiceExt as _;

use super::{door::Door, refusal::Refusal, routes};
use crate::authority::{Authority, Unavailable};

/// The server as a service: every route, behind the one door. Clones are the same one.
#[derive(Clone)]
pub(super) struct Service(Arc<Inner>);

struct Inner {
    door: Door,
    authority: Arc<Authority>,
    router: Router,
}

impl Service {
    /// `over_tls`: every connection to it is TLS.
    ///
    /// # Errors
    ///
    /// Without randomness there are no request ids, hence no service.
    pub(super) fn new(authority: Arc<Authority>, over_tls: bool) -> Result<Self, Unavailable> {
        Ok(Self(Arc::new(Inner {
            door: Door::new(&authority, over_tls)?,
            router: routes::router(Arc::clone(&authority)),
            authority,
        })))
    }

    /// The answer to a request of the client at `address`.
    pub(super) async fn answer<B>(&self, request: Request<B>, address: IpAddr) -> Response
    where
        B: axum::body::HttpBody<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Inner {
            door,
            authority,
            router,
        } = &*self.0;
        let (mut parts, body) = request.into_parts();
        let (passing, origin) = door.enter(&parts.method, &parts.uri, &parts.headers, address);
        let response = match door.admit(&parts, body).await {
            Ok(body) => {
                let headers = take(&mut parts.headers);
                let handler = async {
                    if let Some(direct) = passing.direct() {
                        return direct.answer(authority, headers, body, origin).await;
                    }
                    let mut request = request_again(&parts, headers, body);
                    request.extensions_mut().insert(origin);
                    match router.clone().oneshot(request).await {
                        Ok(response) => response,
                        Err(never) => match never {},
                    }
                };
                // The panic hook has printed what and where.
                AssertUnwindSafe(handler)
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|_| passing.refuse(Refusal::Internal))
            }
            Err(refusal) => passing.refuse(refusal),
        };
        passing.leave_with(response)
    }
}

/// The request for the router; its method and its target are needed here for the way out.
fn request_again(parts: &Parts, headers: HeaderMap, body: Bytes) -> Request<Body> {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.version_mut() = parts.version;
    *request.headers_mut() = headers;
    request
}
