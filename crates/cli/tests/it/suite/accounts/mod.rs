//! Service accounts in the management API.

mod disabling;
mod grants;
mod last_administrator;
mod list_filters;
mod lists;
mod names;
mod organizations;
mod preconditions;
mod races;
mod rights;
mod service_accounts;
mod updates;
mod usage;

use reqwest::Method;
use serde_json::Value;

use super::{DATABASE, start, start_with, start_with_account, start_with_token};
use crate::harness::Prokura;

/// What each update of the account changed, oldest first, from the audit trail.
async fn changes(prokura: &Prokura, token: &str, id: &str) -> Vec<Value> {
    let path = format!("/audit-events?action=update_service_account&serviceAccountId={id}");
    let events = prokura.api(Method::GET, &path, token, None).await;
    let events = events.expect(200).json();
    let changes = events["items"].as_array().unwrap().iter();
    changes.map(|event| event["changes"].clone()).collect()
}
