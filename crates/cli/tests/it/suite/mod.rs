//! What holds on both databases. The letters and numbers in the comments of the tests are those of the requirements that
//! the standards make of us.

mod bearer;
mod client_authentication;
mod failures;
mod http;
mod introspection;
mod jwt;
mod jwt_verification;
mod keys;
mod lists;
mod metadata;
mod oauth_errors;
mod organizations;
mod races;
mod request_bodies;
mod revocation;
mod scopes;
mod service_accounts;
mod token_requests;
mod token_responses;
mod walk;

use super::DATABASE;
use crate::harness::{Options, Prokura};

/// A fresh server on this suite's database.
async fn start() -> Prokura {
    start_with(Options::default()).await
}

/// A fresh server with other settings.
async fn start_with(options: Options) -> Prokura {
    Prokura::start(DATABASE, options).await
}
