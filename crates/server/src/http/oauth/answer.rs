//! JSON responses of the OAuth endpoints.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use serde::Serialize;

/// The capacity that fits most responses, in bytes.
pub(super) const ANSWER_BYTES: usize = 1024;

/// `value` as a JSON response.
pub(super) fn answer(value: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut body, value).expect("a response is made of strings and numbers");
    json(body)
}

/// A response with a JSON text as its body.
pub(super) fn json(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
