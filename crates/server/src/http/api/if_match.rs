//! `If-Match` (RFC 9110 §13.1.1): the state in which an account must be for a change to happen.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use utoipa::IntoParams;

use super::{ApiError, account_tag};
use crate::{
    domain::Precondition,
    http::etag::{self, Condition},
};

/// The header in the API document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(in crate::http) struct IfMatchHeader {
    /// Make the change only if the account has this ETag. Using an account does not count as a change.
    #[param(rename = "If-Match", value_type = String, required = false)]
    #[expect(dead_code, reason = "it describes a parameter; `IfMatch` reads it")]
    if_match: Option<String>,
}

/// The precondition of a change. `*` matches every account, as no header does: a change of an account that does not exist is
/// refused anyway.
pub(in crate::http) struct IfMatch(pub(super) Precondition);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let condition = etag::condition(&parts.headers, &header::IF_MATCH).map_err(|_| {
            ApiError::field(
                "If-Match",
                "must be * or the ETag of the account as the server sent it, with its quotes",
            )
        })?;
        Ok(Self(match condition {
            None | Some(Condition::Any) => Precondition::None,
            // The comparison is strong: weak tags never match.
            Some(Condition::Tags(tags)) => Precondition::Versions(
                tags.into_iter()
                    .filter(|(_, is_weak)| !is_weak)
                    .filter_map(|(text, _)| account_tag::version(text))
                    .collect(),
            ),
        }))
    }
}
