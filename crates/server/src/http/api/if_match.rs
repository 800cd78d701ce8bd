//! The entity tag of an account, and the condition that a change may be made to depend on.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
};

use super::ApiError;
use crate::{
    domain::{Precondition, ServiceAccount},
    http::etag::{self, Condition},
};

/// What an account's entity tag says: `VERSION.LAST-USE`. The tag is strong, so it has to change with every byte of the
/// account, the last use included; whether a change may be made depends on the version alone, or accounts in use could
/// hardly ever be changed.
fn text(account: &ServiceAccount) -> String {
    let last_used_at = account.last_used_at.map_or(0, |at| at.as_millis());
    [
        itoa::Buffer::new().format(account.version),
        ".",
        itoa::Buffer::new().format(last_used_at),
    ]
    .concat()
}

/// The version in such a text.
fn version(text: &str) -> Option<i64> {
    let (version, last_used_at) = text.split_once('.')?;
    last_used_at.parse::<i64>().ok()?;
    version.parse().ok()
}

/// The entity tag of `account`.
pub(super) fn account_tag(account: &ServiceAccount) -> HeaderValue {
    etag::tag(&text(account))
}

/// Whether the client has `account` as it is (RFC 9110 §13.1.2).
pub(super) fn is_known(headers: &HeaderMap, account: &ServiceAccount) -> bool {
    headers.contains_key(header::IF_NONE_MATCH) && etag::is_known(headers, &text(account))
}

/// The condition in `If-Match` (RFC 9110 §13.1.1). `*` asks for no more than that there is an account, as every change does.
pub(in crate::http) struct IfMatch(pub(super) Precondition);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let condition = etag::condition(&parts.headers, &header::IF_MATCH).map_err(|_| {
            ApiError::field(
                "If-Match",
                "must be * or the ETag of the account as it was sent, with its quotes",
            )
        })?;
        Ok(Self(match condition {
            None | Some(Condition::Any) => Precondition::None,
            // The comparison is strong: weak tags never match.
            Some(Condition::Tags(tags)) => Precondition::Versions(
                tags.into_iter()
                    .filter(|(_, is_weak)| !is_weak)
                    .filter_map(|(text, _)| version(text))
                    .collect(),
            ),
        }))
    }
}
