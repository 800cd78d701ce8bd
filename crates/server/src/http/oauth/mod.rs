//! The OAuth endpoints.

mod client_form;
mod error;
pub(super) mod introspect;
pub(super) mod jwks;
pub(super) mod metadata;
pub(super) mod revoke;
pub(super) mod token;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
pub(super) use error::OAuthError;
use serde::Serialize;

/// A JSON answer that nobody keeps (RFC 6749 §5.1; `Pragma` for caches of HTTP/1.0).
fn answer(value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("an answer is made of strings and numbers");
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    (headers, body).into_response()
}
