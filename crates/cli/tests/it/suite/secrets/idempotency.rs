//! `Idempotency-Key` at the operations whose response has a secret (Q3, Q4, G7). A retry with the same key gets the same
//! response and changes nothing.

mod at_once;
mod at_rest;
mod header;
mod refusals;
mod repeats;

use serde_json::{Value, json};

use super::start_with_account;
use crate::harness::{Credentials, Prokura};

const CREATE: &str = "/service-accounts";
const DAY_MS: i64 = 24 * 3600 * 1000;

fn rotation_of(account: &Credentials) -> String {
    format!("/service-accounts/{}/rotate-secret", account.id)
}

fn secrets_of(account: &Credentials) -> String {
    format!("/service-accounts/{}/secrets", account.id)
}

/// The three operations that take a key, each with a body: path, body, and status of success.
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

/// Every row of the database.
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
