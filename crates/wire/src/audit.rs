//! The audit trail.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A change, or the logins to an account refused from one address in one minute. The events of an organization form a hash
/// chain: each event contains the hash of the previous one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// The organization that the event belongs to. It is part of the hash.
    #[cfg_attr(feature = "openapi", schema(format = "uuid"))]
    pub organization_id: String,
    /// The number of the event in the organization: 1, 2, 3 and so on, without gaps.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub sequence: i64,
    /// When the event happened. For refused logins: when the first was refused.
    #[cfg_attr(
        feature = "openapi",
        schema(format = "date-time", example = "2026-11-23T12:00:00.000Z")
    )]
    pub at: String,
    /// Who acted: the id of a service account, `operator` for the operator of the server, or `unauthenticated` for a caller
    /// without valid credentials.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47")
    )]
    pub actor: String,
    /// The name of the operation. Later versions may add operations.
    #[cfg_attr(feature = "openapi", schema(example = "rotate_secret"))]
    pub action: String,
    /// The id of the object that was changed.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47")
    )]
    pub target: String,
    /// The id of the request that caused the event. For refused logins: the first request. Null: a command caused the event.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub request_id: Option<String>,
    /// The address that the request came from. Null: a command caused the event, or the event counts refused logins from
    /// several addresses.
    #[cfg_attr(feature = "openapi", schema(required, example = "192.0.2.7"))]
    pub address: Option<String>,
    /// The fields that changed, with their new values. For refused logins (`refuse_login`): the total (`count`), the number for
    /// each reason (`wrongSecret`, `expiredSecret`, `endedSecret`, `accountDisabled`, `accountExpired`, `organizationDisabled`),
    /// and the ids of the expired and revoked secrets that were used (`secretId`, separated by spaces). Never contains a
    /// secret.
    pub changes: BTreeMap<String, String>,
    /// The hash of the previous event in hexadecimal. Zeros in the first event.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{64}$"))]
    pub previous_hash: String,
    /// SHA-256 over the previous hash and all fields above, in hexadecimal.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{64}$"))]
    pub hash: String,
}

/// Events, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEventList {
    /// The events.
    pub items: Vec<AuditEvent>,
    /// The cursor of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
