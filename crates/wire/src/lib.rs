//! The serde types of the HTTP interface between Prokura and its clients.
//!
//! Member names are camelCase in the management API and snake_case at the OAuth endpoints. Instants are RFC 3339 in UTC with
//! milliseconds, such as `2026-11-23T12:00:00.000Z`.

mod audit;
mod error;
mod health;
mod oauth;
mod secret;
mod secrets;
mod service_account;
mod usage;

pub use audit::{AuditEvent, AuditEventList};
pub use error::{ApiError, FieldError};
pub use health::Health;
pub use oauth::{
    AuthorizationServerMetadata, IntrospectionResponse, JsonWebKey, JsonWebKeySet, OAuthError,
    TokenResponse,
};
pub use secret::Secret;
pub use secrets::{
    AddSecret, AddedSecret, Credentials, RotateSecret, SECRET_LIFETIME_SECONDS,
    ServiceAccountCredentials, ServiceAccountSecret, ServiceAccountSecretList,
};
pub use service_account::{
    ACCOUNT_TOKEN_LIFETIME_SECONDS, CreateServiceAccount, ServiceAccount, ServiceAccountEnvelope,
    ServiceAccountList, UpdateServiceAccount,
};
pub use usage::{DailyUsage, UsageList};
