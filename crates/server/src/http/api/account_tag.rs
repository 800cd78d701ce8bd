//! The ETag of a service account.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::{domain::ServiceAccount, http::etag};

/// The ETag of `account`.
pub(super) fn account_tag(account: &ServiceAccount) -> HeaderValue {
    etag::tag(&text(account))
}

/// Whether `If-None-Match` says that the client has `account` in its current state (RFC 9110 §13.1.2).
pub(super) fn is_known(headers: &HeaderMap, account: &ServiceAccount) -> bool {
    headers.contains_key(header::IF_NONE_MATCH) && etag::is_known(headers, &text(account))
}

/// The account version in the text of a tag. `None`: the tag is not one of an account.
pub(super) fn version(text: &str) -> Option<i64> {
    let (version, last_used_at) = text.split_once('.')?;
    last_used_at.parse::<i64>().ok()?;
    version.parse().ok()
}

/// The text of the tag: `VERSION.LAST-USE`. The tag is strong, so it must change with every byte of the account, the last use
/// included. A precondition compares the version alone; otherwise an account in use could hardly ever be changed.
fn text(account: &ServiceAccount) -> String {
    let last_used_at = account.last_used_at.map_or(0, |at| at.as_millis());
    [
        itoa::Buffer::new().format(account.version),
        ".",
        itoa::Buffer::new().format(last_used_at),
    ]
    .concat()
}
