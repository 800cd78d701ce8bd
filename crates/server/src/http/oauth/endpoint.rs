//! The way to an OAuth endpoint that does not lead through the router.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{Method, Request},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;

use super::{introspect, revoke, token};
use crate::authority::{Authority, Origin};

/// An endpoint that clients post their forms to.
#[derive(Clone, Copy)]
pub(in crate::http) enum Endpoint {
    Token,
    Introspection,
    Revocation,
}

impl Endpoint {
    const PATHS: [(&str, Self); 3] = [
        ("/oauth2/token", Self::Token),
        ("/oauth2/introspect", Self::Introspection),
        ("/oauth2/revoke", Self::Revocation),
    ];

    /// The endpoint that a request is posted to, if it is one.
    pub(in crate::http) fn of<B>(request: &Request<B>) -> Option<Self> {
        let path = request.uri().path();
        let mut found = Self::PATHS.iter().filter(|(known, _)| *known == path);
        let (_, endpoint) = found.next()?;
        (request.method() == Method::POST).then_some(*endpoint)
    }

    /// `path`, if it is that of an endpoint.
    pub(in crate::http) fn path(path: &str) -> Option<&'static str> {
        let mut paths = Self::PATHS.iter().map(|(known, _)| *known);
        paths.find(|known| *known == path)
    }

    /// What the endpoint's handler answers.
    pub(in crate::http) async fn answer(
        self,
        authority: &Arc<Authority>,
        request: Request<Bytes>,
        origin: Origin,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let (authority, origin) = (State(Arc::clone(authority)), Extension(origin));
        match self {
            Self::Token => token::issue_token(authority, origin, parts.headers, body)
                .await
                .into_response(),
            Self::Introspection => {
                introspect::introspect_token(authority, origin, parts.headers, body)
                    .await
                    .into_response()
            }
            Self::Revocation => revoke::revoke_token(authority, origin, parts.headers, body)
                .await
                .into_response(),
        }
    }
}
