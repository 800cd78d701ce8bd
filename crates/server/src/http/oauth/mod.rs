//! The OAuth endpoints.

mod answer;
mod client_authentication;
mod client_form;
mod error;
pub(super) mod introspect;
pub(super) mod jwks;
pub(super) mod metadata;
mod parameters;
pub(super) mod revoke;
pub(super) mod token;

pub(super) use error::OAuthError;
