//! The audit trail in the management API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One change, or the logins refused to an account from one address in one minute: who did what to whom, when, from where.
/// Per organization the events form a chain: each holds the hash of the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// The organization whose event it is; it is part of the hash.
    #[cfg_attr(feature = "openapi", schema(format = "uuid"))]
    pub organization_id: String,
    /// Its number in the organization: 1, 2, 3 and so on, without gaps.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub sequence: i64,
    /// When; of refused logins, when the first was.
    #[cfg_attr(
        feature = "openapi",
        schema(format = "date-time", example = "2026-11-23T12:00:00.000Z")
    )]
    pub at: String,
    /// Who: the id of a service account, `operator` for whoever runs the server, or `unauthenticated` for whoever did not
    /// prove who he is.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47")
    )]
    pub actor: String,
    /// What: the name of the operation. Later versions know further ones.
    #[cfg_attr(feature = "openapi", schema(example = "rotate_secret"))]
    pub action: String,
    /// Whom: the id of what changed.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47")
    )]
    pub target: String,
    /// The request that caused it; of refused logins, the first; null for a command.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub request_id: Option<String>,
    /// The address that the request came from; null for a command, and for logins refused from more addresses than are told
    /// apart.
    #[cfg_attr(feature = "openapi", schema(required, example = "192.0.2.7"))]
    pub address: Option<String>,
    /// The fields that changed, with their new values. Of refused logins (`refuse_login`), how many there were (`count`), how
    /// many for each reason (`wrongSecret`, `expiredSecret`, `endedSecret`, `accountDisabled`, `accountExpired`), and the ids of the expired and
    /// ended secrets that were presented (`secretId`, separated by spaces). Never a secret.
    pub changes: BTreeMap<String, String>,
    /// The hash of the event before; zeros in the first. In hexadecimal.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{64}$"))]
    pub previous_hash: String,
    /// SHA-256 over the previous hash and all the fields above. In hexadecimal.
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
    /// Where the next page begins; left out on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
