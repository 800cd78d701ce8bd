//! The Rust SDK of Prokura: access tokens for your program, and the management API.
//!
//! * [`TokenSource`] gets access tokens from any OAuth 2.0 server by client credentials, and renews them. It is all that a
//!   program needs to call an API as a service account.
//! * [`Client`] manages the service accounts, secrets and audit trail of a Prokura server. It introspects and revokes tokens.
//!
//! Calls return the types of [`wire`], which have the names of the API. Instants are strings (RFC 3339). `Debug` hides secrets
//! and tokens, for example as `Secret(..)`; `expose()` returns the value.
//!
//! # Errors
//!
//! All calls fail with an [`Error`]. Match on [`Error::code`]:
//!
//! ```
//! # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/server.rs")); }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let url = server::start().await;
//! # let credentials = prokura_client::ClientCredentials::new("sa_019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47", "prk_…");
//! # let prokura = prokura_client::Client::new(url, credentials)?;
//! match prokura.get_service_account("019ab0f4-5d2e-7c11-9a52-000000000000").await {
//!     Ok(account) => println!("{}", account.service_account.name),
//!     Err(error) if error.code() == Some("service_account_not_found") => println!("not found"),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Concurrent changes
//!
//! An update changes only the fields that it names. Pass the [`etag`](Versioned::etag) of an earlier answer to make the
//! change only if the account has not changed since:
//!
//! ```
//! # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/server.rs")); }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let url = server::start().await;
//! # let credentials = prokura_client::ClientCredentials::new("sa_019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47", "prk_…");
//! # let prokura = prokura_client::Client::new(url, credentials)?;
//! # let id = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";
//! let found = prokura.get_service_account(id).await?;
//! let mut update = prokura
//!     .update_service_account(id)
//!     .owner("team-payments")
//!     .label("environment", "production")
//!     .clear_description();
//! if let Some(etag) = &found.etag {
//!     update = update.if_match(etag);
//! }
//! match update.await {
//!     Ok(changed) => assert_eq!(changed.service_account.owner.as_deref(), Some("team-payments")),
//!     Err(error) if error.code() == Some("precondition_failed") => println!("the account has changed: read it again"),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```

mod access_token;
mod answer;
mod audit_events;
mod call;
mod client;
mod credentials;
mod deadline;
mod error;
mod http;
mod http_options;
mod items;
mod retry;
mod secrets;
mod service_accounts;
mod token_request;
mod token_source;

pub use access_token::AccessToken;
pub use audit_events::{AuditExport, ExportAuditEvents, ListAuditEvents};
pub use call::Versioned;
pub use client::{Client, ClientBuilder};
pub use credentials::ClientCredentials;
pub use error::{ApiError, Error, OAuthError};
pub use http_options::HttpOptions;
pub use items::Items;
pub use prokura_wire as wire;
pub use reqwest;
pub use secrets::{AddSecret, CancelRotation, DeleteSecret, ListSecrets, RotateSecret};
pub use service_accounts::{
    CreateServiceAccount, DeleteServiceAccount, GetServiceAccount, GetUsage, ListServiceAccounts,
    RevokeTokens, UpdateServiceAccount,
};
pub use token_source::{TokenSource, TokenSourceBuilder};
