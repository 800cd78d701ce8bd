//! Ids in paths. They must stand there in their one canonical spelling, unescaped.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::ApiError;
use crate::domain::{SecretId, ServiceAccountId};

/// What stands before an account's id.
const ACCOUNTS: &str = "/api/v1/service-accounts/";

/// The `{id}` of an account.
pub(in crate::http) struct AccountId(pub(in crate::http) ServiceAccountId);

/// The `{secretId}` behind it.
pub(in crate::http) struct SecretIdInPath(pub(super) SecretId);

impl<S: Send + Sync> FromRequestParts<S> for AccountId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        segment(parts, 0)
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

impl<S: Send + Sync> FromRequestParts<S> for SecretIdInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        segment(parts, 2)
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

fn segment(parts: &Parts, number: usize) -> Option<&str> {
    let behind = parts.uri.path().strip_prefix(ACCOUNTS)?;
    behind.split('/').nth(number)
}
