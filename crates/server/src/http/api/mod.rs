//! The management API, below `/api/v1`.

mod account_answer;
mod account_json;
mod account_tag;
mod answer;
pub(super) mod audit_events;
pub(super) mod bearer;
mod error;
mod idempotency;
mod if_match;
mod json_body;
mod json_object;
mod json_types;
mod json_value;
pub(super) mod path;
mod query;
pub(super) mod secrets;
pub(super) mod service_accounts;
pub(super) mod usage;

pub(super) use error::ApiError;
