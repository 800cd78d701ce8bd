//! Service accounts: the settings that a request may contain, and the account that the server answers.

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde::{Deserialize, Deserializer, Serialize};

/// The token lifetimes that an account can have, in seconds.
pub const ACCOUNT_TOKEN_LIFETIME_SECONDS: RangeInclusive<u32> = 60..=86_400;

/// Settings to change (RFC 7396). Absent members stay as they are; null removes a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateServiceAccount {
    /// Display name: one line of 1 to 255 characters (Unicode scalar values). Two accounts may have the same name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            nullable = false,
            min_length = 1,
            max_length = 255,
            example = "CI Pipeline"
        )
    )]
    pub name: Option<String>,
    /// What the account is for: up to 1,024 characters. Line breaks are allowed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<String>, max_length = 1024, example = "Used by GitHub Actions")
    )]
    pub description: Option<Option<String>>,
    /// All scopes that the account may request. A new account without this member gets the management scopes of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub scopes: Option<Vec<String>>,
    /// What the account may grant to others, beside the management scopes that it holds: scopes, and patterns such as `orders:*`,
    /// which covers every scope that begins with `orders:`. No management scopes. A new account without this member may grant
    /// nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub grantable_scopes: Option<Vec<String>>,
    /// Whether the account is disabled. A disabled account gets no tokens, and its tokens are inactive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub disabled: Option<bool>,
    /// The person or team that is responsible for the account: one line of 1 to 255 characters.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<String>, min_length = 1, max_length = 255, example = "Platform team")
    )]
    pub owner: Option<Option<String>>,
    /// Key-value tags for grouping and filtering: up to 32, with keys of 1 to 63 characters without colons and values of up to
    /// 255 characters. An update merges: a label set to null is removed, other labels stay, and null instead of an object removes
    /// all labels.
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
    /// Lifetime of the account's access tokens, in seconds. Null: the lifetime of the resource that the token is for.
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
    /// When the account expires. From then on it gets no tokens, and its tokens are inactive. Null: never.
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

/// Reads a member that is present, null or not. An absent member is `None` by default.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The settings of a new account: those of [`UpdateServiceAccount`], except that `name` is required, `scopes` and
/// `grantable_scopes` may be null, and `disabled` is not allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CreateServiceAccount(pub UpdateServiceAccount);

#[cfg(feature = "openapi")]
mod schema {
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{
            RefOr, Schema,
            schema::{SchemaType, Type},
        },
    };

    use super::{CreateServiceAccount, UpdateServiceAccount};

    impl PartialSchema for CreateServiceAccount {
        /// The schema of an update with the differences of a new account.
        fn schema() -> RefOr<Schema> {
            let mut schema = UpdateServiceAccount::schema();
            if let RefOr::T(Schema::Object(object)) = &mut schema {
                object.description = Some(
                    "The settings of a new account. All but `name` may be absent or null."
                        .to_owned(),
                );
                object.required = vec!["name".to_owned()];
                object.properties.shift_remove("disabled");
                for list in ["scopes", "grantableScopes"] {
                    if let Some(RefOr::T(Schema::Array(list))) = object.properties.get_mut(list) {
                        list.schema_type = SchemaType::from_iter([Type::Array, Type::Null]);
                    }
                }
            }
            schema
        }
    }

    impl ToSchema for CreateServiceAccount {}
}

/// A service account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccount {
    /// The id of the account, a UUID. The paths of this API contain it.
    #[cfg_attr(
        feature = "openapi",
        schema(format = "uuid", example = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47")
    )]
    pub id: String,
    /// The client id of the account at the OAuth endpoints: `sa_` and the id.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "sa_019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47")
    )]
    pub client_id: String,
    /// Display name. Two accounts may have the same name.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 255, example = "CI Pipeline")
    )]
    pub name: String,
    /// What the account is for.
    #[cfg_attr(feature = "openapi", schema(required, max_length = 1024))]
    pub description: Option<String>,
    /// The scopes that the account may request, in alphabetical order.
    pub scopes: Vec<String>,
    /// What the account may grant to others, beside the management scopes that it holds: scopes and patterns such as `orders:*`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub grantable_scopes: Vec<String>,
    /// When the account was created.
    #[cfg_attr(
        feature = "openapi",
        schema(format = "date-time", example = "2026-11-23T12:00:00.000Z")
    )]
    pub created_at: String,
    /// When the account or one of its secrets last changed.
    #[cfg_attr(
        feature = "openapi",
        schema(format = "date-time", example = "2026-11-23T12:00:00.000Z")
    )]
    pub updated_at: String,
    /// The id of the account that created this one. Null: the server itself.
    #[cfg_attr(feature = "openapi", schema(required, format = "uuid"))]
    pub created_by: Option<String>,
    /// When a token was last issued to the account. Null: never.
    #[cfg_attr(feature = "openapi", schema(required, format = "date-time"))]
    pub last_used_at: Option<String>,
    /// The person or team that is responsible for the account.
    #[cfg_attr(
        feature = "openapi",
        schema(required, min_length = 1, max_length = 255, example = "Platform team")
    )]
    pub owner: Option<String>,
    /// Key-value tags for grouping and filtering.
    pub labels: BTreeMap<String, String>,
    /// Whether the account is disabled. A disabled account gets no tokens, and its tokens are inactive.
    pub disabled: bool,
    /// Lifetime of the account's access tokens, in seconds. Null: the lifetime of the resource that the token is for.
    #[cfg_attr(feature = "openapi", schema(required, minimum = 60, maximum = 86_400))]
    pub token_lifetime_seconds: Option<u32>,
    /// When the account expires. From then on it gets no tokens, and its tokens are inactive. Null: never.
    #[cfg_attr(feature = "openapi", schema(required, format = "date-time"))]
    pub expires_at: Option<String>,
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
    /// The cursor of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
