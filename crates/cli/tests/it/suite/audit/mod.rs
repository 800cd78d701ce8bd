//! The audit trail.

mod events;
mod refused_logins;
mod refused_logins_at_rest;
mod trail;
mod verification;

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::{DATABASE, start, start_with_account, start_with_token};
use crate::harness::{Client, Credentials, Prokura, Reply};

async fn get_events(client: &Client, token: &str, query: &str) -> Reply {
    let path = format!("/audit-events{query}");
    client.api(Method::GET, &path, token, None).await
}

async fn list_events(client: &Client, token: &str, query: &str) -> Vec<Value> {
    get_events(client, token, query).await.items()
}

fn sequences(events: &[Value]) -> Vec<i64> {
    let sequences = events.iter().map(|event| event["sequence"].as_i64());
    sequences.map(Option::unwrap).collect()
}

async fn export(client: &Client, token: &str) -> String {
    let reply = get_events(client, token, "/export").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    assert_eq!(reply.header("content-length"), "");
    String::from_utf8(reply.body.to_vec()).unwrap()
}

fn lines(export: &str) -> Vec<Value> {
    assert!(export.ends_with('\n'));
    export
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Creates `count` accounts, which makes as many events.
async fn create_many(prokura: &Prokura, token: &str, count: usize) {
    let creations = stream::iter(0..count).map(async |number| {
        let body = json!({ "name": format!("Account {number}") });
        prokura.create(token, body).await;
    });
    creations.buffer_unordered(16).collect::<Vec<_>>().await;
}

/// A server whose organization has eight events. The last six are creations of accounts.
async fn start_with_events() -> (Prokura, String) {
    let (prokura, token) = start_with_token().await;
    create_many(&prokura, &token, 6).await;
    (prokura, token)
}

const MINUTE: i64 = 60_000;

/// Ends the current minute and writes the logins that were refused in it.
async fn end_minute(prokura: &Prokura) {
    prokura.advance(MINUTE);
    prokura.authority.flush_refused_logins().await.unwrap();
}

/// The events of refused logins that the query finds.
async fn list_refused_logins(prokura: &Prokura, token: &str, query: &str) -> Vec<Value> {
    let path = format!("/audit-events?action=refuse_login&limit=200{query}");
    let list = prokura.api(Method::GET, &path, token, None).await;
    list.items()
}

/// The counts in the events of refused logins, event by event.
async fn refused_login_counts(prokura: &Prokura, token: &str) -> Vec<Value> {
    let events = list_refused_logins(prokura, token, "").await;
    events
        .iter()
        .map(|event| event["changes"].clone())
        .collect()
}

/// Requests a token, which must be refused.
async fn fail_to_log_in(client: &Client, credentials: &Credentials) -> Reply {
    let reply = client.token(credentials, &[]).await;
    reply.expect_oauth_error(401, "invalid_client")
}

async fn organization(prokura: &Prokura, name: &str) -> String {
    let sql = format!("SELECT id FROM organizations WHERE name = '{name}'");
    let hex = prokura.rows(&sql).await[0][0].clone();
    let hex = hex.as_str().unwrap();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &hex[part]);
    parts.join("-")
}
