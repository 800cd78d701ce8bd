//! The management API.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::Secret;

/// The shortest life that the tokens of one account can be given, in seconds.
pub const MIN_TOKEN_LIFETIME_SECONDS: u32 = 60;
/// The longest.
pub const MAX_TOKEN_LIFETIME_SECONDS: u32 = 86_400;

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccount {
    /// Its id, a UUID: what the paths of this API take.
    #[cfg_attr(
        feature = "openapi",
        schema(format = "uuid", example = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47")
    )]
    pub id: String,
    /// What it calls itself at the token endpoint: `sa_` and its id.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "sa_019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47")
    )]
    pub client_id: String,
    /// Its display name; two accounts may share it.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 255, example = "CI Pipeline")
    )]
    pub name: String,
    /// What it is for.
    #[cfg_attr(feature = "openapi", schema(required, max_length = 1024))]
    pub description: Option<String>,
    /// The scopes that it may ask for, in alphabetical order.
    pub scopes: Vec<String>,
    /// When it was created.
    #[cfg_attr(
        feature = "openapi",
        schema(format = "date-time", example = "2026-11-23T12:00:00.000Z")
    )]
    pub created_at: String,
    /// When it, or its secret, last changed.
    #[cfg_attr(
        feature = "openapi",
        schema(format = "date-time", example = "2026-11-23T12:00:00.000Z")
    )]
    pub updated_at: String,
    /// The id of the account that created it; null for the server's own first accounts.
    #[cfg_attr(feature = "openapi", schema(required, format = "uuid"))]
    pub created_by: Option<String>,
    /// When a token was last issued to it; null if never.
    #[cfg_attr(feature = "openapi", schema(required, format = "date-time"))]
    pub last_used_at: Option<String>,
    /// Who answers for it; null if nobody is named.
    #[cfg_attr(
        feature = "openapi",
        schema(required, min_length = 1, max_length = 255, example = "Platform team")
    )]
    pub owner: Option<String>,
    /// What it is sorted by.
    pub labels: BTreeMap<String, String>,
    /// Whether it is switched off: it gets no tokens, and those that it has are dead meanwhile.
    pub disabled: bool,
    /// How long its tokens live, in seconds; null: as long as those of the resource that they are for.
    #[cfg_attr(feature = "openapi", schema(required, minimum = 60, maximum = 86_400))]
    pub token_lifetime_seconds: Option<u32>,
    /// When it expires: from then on it is as if it were disabled. Null: it does not.
    #[cfg_attr(feature = "openapi", schema(required, format = "date-time"))]
    pub expires_at: Option<String>,
}

/// What an account authenticates with. The secret is shown in this one answer and never again.
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

/// What creating an account takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateServiceAccount {
    /// A display name of one line: 1 to 255 characters (Unicode scalar values).
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 255, example = "CI Pipeline")
    )]
    pub name: String,
    /// What it is for: up to 1,024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(max_length = 1024, example = "Used by GitHub Actions")
    )]
    pub description: Option<String>,
    /// What it may ask for. Left out: the management scopes of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Who answers for it: one line of up to 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 255, example = "Platform team")
    )]
    pub owner: Option<String>,
    /// What it is sorted by: up to 32 labels, a key of up to 63 characters without colons, a value of up to 255.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How long its tokens live, in seconds. Left out: as long as those of the resource that they are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 60, maximum = 86_400))]
    pub token_lifetime_seconds: Option<u32>,
    /// When it expires. Left out: it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = "date-time"))]
    pub expires_at: Option<String>,
}

/// What is to change of an account (RFC 7396). What is left out stays as it is; null takes a value away.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateServiceAccount {
    /// A display name of one line: 1 to 255 characters (Unicode scalar values).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(nullable = false, min_length = 1, max_length = 255)
    )]
    pub name: Option<String>,
    /// What it is for: up to 1,024 characters.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<String>, max_length = 1024)
    )]
    pub description: Option<Option<String>>,
    /// What it may ask for, instead of what it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub scopes: Option<Vec<String>>,
    /// Whether it is switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub disabled: Option<bool>,
    /// Who answers for it: one line of up to 255 characters.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<String>, min_length = 1, max_length = 255)
    )]
    pub owner: Option<Option<String>>,
    /// The labels to set; those that are null are taken away, the others stay. Null takes all of them away.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<BTreeMap<String, Option<String>>>)
    )]
    pub labels: Option<Option<BTreeMap<String, Option<String>>>>,
    /// How long its tokens live, in seconds. Null: as long as those of the resource that they are for.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<u32>, minimum = 60, maximum = 86_400)
    )]
    pub token_lifetime_seconds: Option<Option<u32>>,
    /// When it expires. Null: it does not.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<String>, format = "date-time")
    )]
    pub expires_at: Option<Option<String>>,
}

/// Reads a member that is there, null or not; one that is not is `None` by default.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// How a secret is to be rotated. Every member may be left out, and so may the body.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateSecret {
    /// How long the old secrets live on, in seconds. Left out: they end now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 0, maximum = 604_800, default = 0)
    )]
    pub grace_period_seconds: Option<u32>,
    /// How long the new secret is to live, in seconds. Left out: it does not expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 315_360_000))]
    pub expires_in_seconds: Option<u32>,
    /// Whether the tokens issued so far end as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(default = false))]
    pub revoke_tokens: Option<bool>,
}

/// What a further secret is to be like. Every member may be left out, and so may the body.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddSecret {
    /// How long it is to live, in seconds. Left out: it does not expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 315_360_000))]
    pub expires_in_seconds: Option<u32>,
}

/// A secret of a service account, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountSecret {
    /// Its id, a UUID.
    #[cfg_attr(feature = "openapi", schema(format = "uuid"))]
    pub id: String,
    /// Its last four characters.
    #[cfg_attr(feature = "openapi", schema(example = "41wP"))]
    pub hint: String,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(format = "date-time"))]
    pub created_at: String,
    /// The id of the account that made it; null for the server itself.
    #[cfg_attr(feature = "openapi", schema(required, format = "uuid"))]
    pub created_by: Option<String>,
    /// When it ends by itself: its expiry, or the end of its grace if that comes first; null if it does not.
    #[cfg_attr(feature = "openapi", schema(required, format = "date-time"))]
    pub expires_at: Option<String>,
    /// When it last obtained a token; null where that is not known.
    #[cfg_attr(feature = "openapi", schema(required, format = "date-time"))]
    pub last_used_at: Option<String>,
    /// `active`, `retiring` (until the grace of a rotation ends), `expired` or `revoked`.
    #[cfg_attr(feature = "openapi", schema(example = "active"))]
    pub state: String,
    /// Whether it can be ended without anybody noticing: a newer secret has been in use, and this one not, for a day.
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

/// A further secret: what adding one answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AddedSecret {
    /// The secret, without the secret.
    pub secret: ServiceAccountSecret,
    /// What the account authenticates with from now on, among others.
    pub credentials: Credentials,
}

/// An account with its new secret: the answer to create and rotate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountCredentials {
    /// The account.
    pub service_account: ServiceAccount,
    /// Its credentials.
    pub credentials: Credentials,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountEnvelope {
    /// The account.
    pub service_account: ServiceAccount,
}

/// Accounts, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountList {
    /// The accounts.
    pub items: Vec<ServiceAccount>,
    /// Where the next page begins; left out on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What an account got and was refused on one day of UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DailyUsage {
    /// The day.
    #[cfg_attr(feature = "openapi", schema(format = "date", example = "2026-11-23"))]
    pub date: String,
    /// Access tokens issued to the account.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub tokens_issued: i64,
    /// Requests for a token that were refused: a wrong secret, a disabled account, a scope, resource or grant that it may not
    /// have.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub tokens_refused: i64,
}

/// Days, oldest first, each of them there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UsageList {
    /// The days; today is the last.
    pub items: Vec<DailyUsage>,
}

/// How the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// `alive` or `ready`, by what was asked.
    pub status: String,
}

/// Why a request to the management API failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    /// What is wrong and how to mend it, for people.
    pub message: String,
    /// The HTTP status.
    pub status_code: u16,
    /// What is wrong, for programs; it does not change.
    #[cfg_attr(feature = "openapi", schema(example = "service_account_not_found"))]
    pub code: String,
    /// The id of the request, also in `X-Request-Id` and in the server's log.
    pub request_id: String,
    /// With 400: each member or parameter that is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// With 403: the scopes that the caller lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_scopes: Vec<String>,
}

/// What is wrong with one member or parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Its name.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}
