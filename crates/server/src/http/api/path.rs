//! Ids in paths: UUIDs in lower case with hyphens, not percent-encoded.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::error::ApiError;
use crate::domain::{SecretId, ServiceAccountId};

/// The path in front of an account's id.
const ACCOUNTS: &str = "/api/v1/service-accounts/";

/// `{id}`: the id of an account.
pub(in crate::http) struct AccountId(pub(in crate::http) ServiceAccountId);

/// `{secretId}`: the id of one of its secrets.
pub(in crate::http) struct SecretIdInPath(pub(super) SecretId);

impl AccountId {
    /// The id in the path of a request about one account.
    pub(in crate::http) fn in_path(path: &str) -> Result<Self, ApiError> {
        segment(path, 0)
            .and_then(ServiceAccountId::parse)
            .map(Self)
            .ok_or_else(|| {
                ApiError::field(
                    "id",
                    "must be the account's id, a UUID in lower case with hyphens (not its client id)",
                )
            })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AccountId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::in_path(parts.uri.path())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SecretIdInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        segment(parts.uri.path(), 2)
            .and_then(SecretId::parse)
            .map(Self)
            .ok_or_else(|| {
                ApiError::field(
                    "secretId",
                    "must be the secret's id, a UUID in lower case with hyphens",
                )
            })
    }
}

/// The segment at `number` behind [`ACCOUNTS`].
fn segment(path: &str, number: usize) -> Option<&str> {
    path.strip_prefix(ACCOUNTS)?.split('/').nth(number)
}
