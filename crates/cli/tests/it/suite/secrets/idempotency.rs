//! `Idempotency-Key` on what answers with a secret (Q3, Q4, G7): a repeat gets the same answer and changes nothing.

mod at_once;
mod at_rest;
mod header;
mod refusals;
mod repeats;

use serde_json::{Value, json};

use super::start;
use crate::harness::{Credentials, Prokura, Reply};

const CREATE: &str = "/service-accounts";
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A server, a token to manage with, and an account.
async fn with_account() -> (Prokura, String, Credentials) {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
    (prokura, token, account)
}

fn rotation_of(account: &Credentials) -> String {
    format!("/service-accounts/{}/rotate-secret", account.id)
}

fn secrets_of(account: &Credentials) -> String {
    format!("/service-accounts/{}/secrets", account.id)
}

/// The three operations that take a key, with a body for each: path, body, the status of success.
fn operations(account: &Credentials) -> [(String, Option<Value>, u16); 4] {
    [
        (CREATE.to_owned(), Some(json!({ "name": "New" })), 201),
        (rotation_of(account), None, 200),
        (
            rotation_of(account),
            Some(json!({ "gracePeriodSeconds": 60 })),
            200,
        ),
        (secrets_of(account), None, 201),
    ]
}

/// Everything that is in the database, row by row.
async fn everything(prokura: &Prokura) -> Vec<String> {
    let mut rows = Vec::new();
    for table in [
        "organizations",
        "service_accounts",
        "secrets",
        "audit_events",
        "idempotent_requests",
    ] {
        let found = prokura.rows(&format!("SELECT * FROM {table}")).await;
        rows.extend(found.iter().map(|row| format!("{table} {row:?}")));
    }
    rows.sort();
    rows
}

async fn count(prokura: &Prokura, from: &str) -> i64 {
    let rows = prokura.rows(&format!("SELECT count(*) FROM {from}")).await;
    rows[0][0].as_i64().unwrap()
}

/// The account in an answer, with its new secret.
fn credentials(reply: &Reply) -> Credentials {
    let credentials = &reply.json()["credentials"];
    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    let client_id = text("clientId");
    Credentials {
        id: client_id.trim_start_matches("sa_").to_owned(),
        client_id,
        client_secret: text("clientSecret"),
    }
}
