//! One request's way: through the door, to its handler, and out.

use std::{net::IpAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{Router, body::Body, http::Request, response::Response};
use bytes::Bytes;
use futures_util::FutureExt as _;
use tower::ServiceExt as _;

use super::{direct::Direct, door::Door, refusal::Refusal, routes};
use crate::authority::{Authority, Origin, Unavailable};

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
        let passing = door.enter(&request, address);
        let response = match door.admit(request).await {
            Ok(request) => {
                let handler = handle(authority, router, request, passing.origin());
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

async fn handle(
    authority: &Arc<Authority>,
    router: &Router,
    request: Request<Bytes>,
    origin: Origin,
) -> Response {
    if let Some(direct) = Direct::of(&request) {
        return direct.answer(authority, request, origin).await;
    }
    let mut request = request.map(Body::from);
    request.extensions_mut().insert(origin);
    match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
