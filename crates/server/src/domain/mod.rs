//! The rules. Pure: no async, no clock, no randomness, no SQL, no HTTP, no serde.
//!
//! Functions take instants and random bytes as arguments, so their results depend on their arguments alone.

mod access_token;
mod account_filter;
mod account_patch;
mod audit;
mod client;
mod client_proof;
mod client_secret;
mod data_key;
mod grantable_scopes;
mod id;
mod idempotency_key;
mod labels;
mod precondition;
mod resource;
mod rfc3339;
mod rights;
mod scope;
mod service_account;
mod setting;
mod signing_key;
mod signing_key_life;
mod signing_key_set;
mod stored_secret;
mod text;
mod timestamp;
mod usage;

pub use access_token::{AccessToken, MAX_RESOURCE_TOKEN_LIFETIME_SECONDS};
pub use account_filter::AccountFilter;
pub use account_patch::AccountPatch;
pub use audit::{
    Action, Actor, AuditEvent, AuditFilter, BrokenChain, ChainHead, ChainedEvent, LoginRefusal,
    RefusedLogins, Verifier,
};
pub use client::{Client, Unusable};
pub use client_proof::ClientProof;
pub use client_secret::{ClientSecret, SecretDigest};
pub use data_key::SealedDataKey;
pub use grantable_scopes::{GrantableScopes, InvalidGrantableScopes};
pub use id::{ClientId, OrganizationId, ResourceId, SecretId, ServiceAccountId, TokenId};
pub use idempotency_key::IdempotencyKey;
pub use labels::{InvalidLabels, Label, Labels, LabelsPatch};
pub use precondition::Precondition;
pub use resource::{
    ConfiguredResource, GrantError, InvalidResources, Resource, Resources, SigningAlgorithm,
    TokenFormat,
};
pub use rights::{Rights, needs_other_administrator};
pub use scope::{
    AUDIT_READ, InvalidScope, MANAGEMENT_ALL, MANAGEMENT_SCOPES, SERVICE_ACCOUNTS_READ,
    SERVICE_ACCOUNTS_ROTATE, SERVICE_ACCOUNTS_WRITE, ScopeSet, TOKENS_INTROSPECT,
};
pub use service_account::ServiceAccount;
pub(crate) use service_account::account_settings;
pub use signing_key::{PublicJwk, PublicKeyMaterial, StoredSigningKey};
pub use signing_key_life::{SigningKeyLife, SigningKeyState, signing};
pub use signing_key_set::{KeyStep, SIGNING_KEY_PUBLISHED_AHEAD_DAYS, SigningKeySet};
pub use stored_secret::{
    ENDED_SECRETS_LISTED_MS, MAX_LIVE_SECRETS, SecretState, StoredSecret, UnrevokedSecret,
};
pub use text::{Description, InvalidText, Name};
pub use timestamp::Timestamp;
pub use usage::{DailyUsage, Day, SecretUse, Usage};
