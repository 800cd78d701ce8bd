//! HTTP requests and responses: what holds for every endpoint.

mod conventions;
mod framing;
mod json;
mod limits;
mod paths;
mod request_bodies;
mod requests;
mod shutdown;
mod walk;

use reqwest::{Method, header::CONTENT_TYPE};

use super::{start, start_with_token};
use crate::harness::{Prokura, Reply};

fn host(prokura: &Prokura) -> &str {
    prokura.url.trim_start_matches("http://")
}

/// Sends a request to create an account, with this body.
async fn create(prokura: &Prokura, token: &str, body: impl Into<Vec<u8>>) -> Reply {
    send(prokura, token, Some("application/json"), body).await
}

async fn send(
    prokura: &Prokura,
    token: &str,
    content_type: Option<&str>,
    body: impl Into<Vec<u8>>,
) -> Reply {
    let mut request = prokura
        .request(Method::POST, "/api/v1/service-accounts")
        .bearer_auth(token)
        .body(body.into());
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    prokura.send(request).await
}
