//! The tests that run on both databases, shelved by subject. `docs/STANDARDS.md` has the requirements whose numbers the
//! comments cite.

mod accounts;
mod audit;
mod failures;
mod http;
mod oauth;
mod sdk;
mod secrets;
mod tokens;
mod upgrade;

use serde_json::json;

use super::DATABASE;
use crate::harness::{Credentials, Options, Prokura};

/// A server with the default settings and a fresh database.
async fn start() -> Prokura {
    start_with(Options::default()).await
}

/// A server with these settings and a fresh database.
async fn start_with(options: Options) -> Prokura {
    Prokura::start(DATABASE, options).await
}

/// A fresh server, and a token of its first account with `management:all`.
async fn start_with_token() -> (Prokura, String) {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    (prokura, token)
}

/// The same, and a second account named `CI` with `management:all`.
async fn start_with_account() -> (Prokura, String, Credentials) {
    let (prokura, token) = start_with_token().await;
    let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
    (prokura, token, account)
}
