//! What holds on both databases. The letters and numbers in the comments of the tests are those of the requirements that
//! the standards make of us.

mod accounts;
mod audit;
mod failures;
mod http;
mod oauth;
mod sdk;
mod secrets;
mod tokens;

use reqwest::Method;
use serde_json::{Value, json};

use super::DATABASE;
use crate::harness::{Client, Options, Prokura, Reply};

/// A fresh server on this suite's database.
async fn start() -> Prokura {
    start_with(Options::default()).await
}

/// A fresh server with other settings.
async fn start_with(options: Options) -> Prokura {
    Prokura::start(DATABASE, options).await
}

/// An operation of the management API: method, path behind the host, body.
type Operation = (Method, String, Option<Value>);

/// Those on the account `id`.
fn operations_on(id: &str) -> [Operation; 5] {
    let path = format!("/api/v1/service-accounts/{id}");
    [
        (Method::GET, path.clone(), None),
        (Method::PATCH, path.clone(), Some(json!({ "name": "CI" }))),
        (Method::GET, format!("{path}/usage"), None),
        (Method::POST, format!("{path}/rotate-secret"), None),
        (Method::DELETE, path, None),
    ]
}

/// Every operation, those on an account on the account `id`.
fn operations(id: &str) -> Vec<Operation> {
    let path = "/api/v1/service-accounts".to_owned();
    let mut all = vec![
        (Method::GET, path.clone(), None),
        (Method::POST, path, Some(json!({ "name": "CI" }))),
    ];
    all.extend(operations_on(id));
    all
}

/// Calls an operation with these headers; the request id is always the same.
async fn call(client: &Client, operation: &Operation, headers: &[(&str, &str)]) -> Reply {
    let (method, path, body) = operation;
    let mut request = client
        .request(method.clone(), path)
        .header("x-request-id", "always-the-same");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    client.send(request).await
}
