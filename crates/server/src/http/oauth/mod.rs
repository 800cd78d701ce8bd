//! The OAuth endpoints.

mod client_form;
mod error;
pub(super) mod introspect;
pub(super) mod jwks;
pub(super) mod metadata;
pub(super) mod revoke;
pub(super) mod token;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
pub(super) use error::OAuthError;
use serde::Serialize;

/// A JSON answer.
fn answer(value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("an answer is made of strings and numbers");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
