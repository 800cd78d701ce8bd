//! The OAuth endpoints.

mod client_form;
mod error;
pub(super) mod introspect;
pub(super) mod jwks;
pub(super) mod metadata;
pub(super) mod revoke;
pub(super) mod token;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
pub(super) use error::OAuthError;
use serde::Serialize;

/// As much as most answers have.
const ANSWER_BYTES: usize = 1024;

/// A JSON answer.
fn answer(value: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut body, value).expect("an answer is made of strings and numbers");
    json(body)
}

/// An answer that is JSON already.
fn json(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
