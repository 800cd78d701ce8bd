//! The management API.

mod answer;
pub(super) mod audit_events;
mod bearer;
mod error;
mod json;
mod query;
pub(super) mod service_accounts;

pub(super) use error::ApiError;
