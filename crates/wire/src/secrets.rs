//! The secrets of service accounts: how they are rotated, added and listed.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::{Secret, ServiceAccount};

/// The lifetimes that a secret can have, in seconds: up to ten years.
pub const SECRET_LIFETIME_SECONDS: RangeInclusive<u32> = 1..=315_360_000;

/// The credentials of an account. The secret is in this response only and cannot be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The client id.
    pub client_id: String,
    /// The client secret: `prk_` and 49 characters of `[0-9A-Za-z]`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 53, max_length = 53))]
    pub client_secret: Secret,
}

/// How to rotate a secret. Every member may be absent, and so may the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateSecret {
    /// How long the old secrets keep working, in seconds. 0: they stop working at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 0, maximum = 604_800, default = 0)
    )]
    pub grace_period_seconds: Option<u32>,
    /// Lifetime of the new secret, in seconds. Absent: it does not expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 315_360_000))]
    pub expires_in_seconds: Option<u32>,
    /// Whether to revoke the tokens issued so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(default = false))]
    pub revoke_tokens: Option<bool>,
}

/// A secret to add. Every member may be absent, and so may the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddSecret {
    /// Lifetime of the secret, in seconds. Absent: it does not expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 315_360_000))]
    pub expires_in_seconds: Option<u32>,
}

/// A secret of a service account, without the secret text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountSecret {
    /// The id of the secret, a UUID.
    #[cfg_attr(feature = "openapi", schema(format = "uuid"))]
    pub id: String,
    /// The last four characters of the secret.
    #[cfg_attr(feature = "openapi", schema(example = "41wP"))]
    pub hint: String,
    /// When the secret was created.
    #[cfg_attr(feature = "openapi", schema(format = "date-time"))]
    pub created_at: String,
    /// The id of the account that created the secret. Null: the server itself.
    #[cfg_attr(feature = "openapi", schema(required, format = "uuid"))]
    pub created_by: Option<String>,
    /// When the secret stops working: its expiry or the end of its grace period, whichever comes first. Null: never.
    #[cfg_attr(feature = "openapi", schema(required, format = "date-time"))]
    pub expires_at: Option<String>,
    /// When a token was last issued for the secret. Null: not known.
    #[cfg_attr(feature = "openapi", schema(required, format = "date-time"))]
    pub last_used_at: Option<String>,
    /// `active`, `retiring` (until the grace period of a rotation ends), `expired` or `revoked`.
    #[cfg_attr(feature = "openapi", schema(example = "active"))]
    pub state: String,
    /// Whether the secret can be revoked without breaking a client: a newer secret has been in use for a day, and this one has
    /// not.
    pub safe_to_revoke: bool,
}

/// Secrets, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountSecretList {
    /// The secrets.
    pub items: Vec<ServiceAccountSecret>,
}

/// An added secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AddedSecret {
    /// The secret, without the secret text.
    pub secret: ServiceAccountSecret,
    /// The client id and the secret text.
    pub credentials: Credentials,
}

/// An account with its new secret: the response to creating an account and to rotating its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountCredentials {
    /// The account.
    pub service_account: ServiceAccount,
    /// Its credentials.
    pub credentials: Credentials,
}
