//! What travels over HTTP between Prokura and its clients: serde types, nothing else.
//!
//! Member names are those of the wire: camelCase at the management API, snake_case at the OAuth endpoints. Instants are
//! RFC 3339 in UTC with milliseconds, such as `2026-11-23T12:00:00.000Z`.

mod api;
mod audit;
mod oauth;
mod secret;

pub use api::{
    AddSecret, AddedSecret, ApiError, CreateServiceAccount, Credentials, DailyUsage, FieldError,
    Health, MAX_TOKEN_LIFETIME_SECONDS, MIN_TOKEN_LIFETIME_SECONDS, RotateSecret, ServiceAccount,
    ServiceAccountCredentials, ServiceAccountEnvelope, ServiceAccountList, ServiceAccountSecret,
    ServiceAccountSecretList, UpdateServiceAccount, UsageList,
};
pub use audit::{AuditEvent, AuditEventList};
pub use oauth::{
    AuthorizationServerMetadata, IntrospectionResponse, JsonWebKey, JsonWebKeySet, OAuthError,
    TokenResponse,
};
pub use secret::Secret;
