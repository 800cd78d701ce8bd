//! The OAuth endpoints.

mod client_form;
mod error;
pub(super) mod introspect;
pub(super) mod jwks;
pub(super) mod metadata;
pub(super) mod revoke;
pub(super) mod token;

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{Method, Request, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
pub(super) use error::OAuthError;
use serde::Serialize;

use self::client_form::ClientForm;
use crate::authority::{Authority, Origin};

/// An endpoint that clients post their forms to.
#[derive(Clone, Copy)]
pub(super) enum Endpoint {
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
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        let path = request.uri().path();
        let mut found = Self::PATHS.iter().filter(|(known, _)| *known == path);
        let (_, endpoint) = found.next()?;
        (request.method() == Method::POST).then_some(*endpoint)
    }

    /// `path`, if it is that of an endpoint.
    pub(super) fn path(path: &str) -> Option<&'static str> {
        let mut paths = Self::PATHS.iter().map(|(known, _)| *known);
        paths.find(|known| *known == path)
    }

    /// What the endpoint's handler answers.
    pub(super) async fn answer(
        self,
        authority: &Arc<Authority>,
        request: &Request<Bytes>,
        origin: Origin,
    ) -> Response {
        let form = match ClientForm::read(request.headers(), request.body()) {
            Ok(form) => form,
            Err(error) => return error.into_response(),
        };
        let (authority, origin) = (State(Arc::clone(authority)), Extension(origin));
        match self {
            Self::Token => token::issue_token(authority, origin, form)
                .await
                .into_response(),
            Self::Introspection => introspect::introspect_token(authority, origin, form)
                .await
                .into_response(),
            Self::Revocation => revoke::revoke_token(authority, origin, form)
                .await
                .into_response(),
        }
    }
}

/// As much as most answers have.
const ANSWER_BYTES: usize = 1024;

/// A JSON answer.
fn answer(value: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut body, value).expect("an answer is made of strings and numbers");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
