//! The management API.

mod bearer;
mod error;
mod json;
mod path;
pub(super) mod secrets;
pub(super) mod service_accounts;
pub(super) mod usage;

pub(super) use error::ApiError;
