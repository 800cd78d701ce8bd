//! The OAuth endpoints.

mod client_authentication;
mod errors;
mod introspection;
mod metadata;
mod revocation;
mod scopes;
mod token_requests;
mod token_responses;

use super::{DATABASE, start, start_with};
