//! The OAuth endpoints: token, introspection, revocation and discovery.

mod basic;
mod client_authentication;
mod errors;
mod failed_authentication;
mod form_bodies;
mod introspection;
mod metadata;
mod resource_owners;
mod revocation;
mod scopes;
mod token_lifetime;
mod token_parameters;
mod token_requests;
mod token_responses;

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;

use super::{DATABASE, start, start_with, start_with_token};
use crate::harness::{Prokura, Reply};

const TOKEN: &str = "/oauth2/token";

const GRANT: &str = "grant_type=client_credentials";

/// Sends a token request with these Authorization headers.
async fn ask(prokura: &Prokura, authorizations: &[&str], body: &str) -> Reply {
    let headers = authorizations
        .iter()
        .map(|value| ("authorization", *value))
        .collect::<Vec<_>>();
    prokura.raw_form(TOKEN, &headers, body).await
}

/// The value of a Basic header for any bytes.
fn basic_of(bytes: impl AsRef<[u8]>) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(bytes))
}

/// Sends a token request with this body, as the first account by Basic.
async fn as_root(prokura: &Prokura, body: &str) -> Reply {
    let basic = prokura.root.basic();
    prokura
        .raw_form(TOKEN, &[("authorization", &basic)], body)
        .await
}

/// The endpoints where clients authenticate, each with a body that is otherwise complete.
const ENDPOINTS: [(&str, &str); 3] = [
    (TOKEN, GRANT),
    ("/oauth2/introspect", "token=x"),
    ("/oauth2/revoke", "token=x"),
];

/// Every parameter that the token endpoint knows.
const KNOWN: [&str; 8] = [
    "grant_type",
    "scope",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "resource",
    "audience",
];

const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a token request with these bytes and this content type, as the first account by Basic.
async fn typed(prokura: &Prokura, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Reply {
    let mut request = prokura
        .request(Method::POST, TOKEN)
        .header("authorization", prokura.root.basic())
        .body(body.into());
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    prokura.send(request).await
}

/// The head of a request of the first account by Basic, without the empty line at its end.
fn head(prokura: &Prokura, path: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n",
        prokura.root.basic()
    )
}
