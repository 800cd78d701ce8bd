//! `POST /api/v1/service-accounts/{id}/revoke-tokens`.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode};

use crate::{
    authority::Authority,
    http::{
        api::{
            ApiError,
            bearer::ManagesServiceAccounts,
            if_match::{IfMatch, IfMatchHeader},
            json_body::OptionalJsonObject,
            path::AccountId,
        },
        exchange::Exchange,
    },
};

/// Revoke every token issued to a service account so far.
///
/// The account's secrets keep working, so it can get new tokens at once.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts/{id}/revoke-tokens",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        IfMatchHeader
    ),
    responses(
        (status = 204, description = "The tokens were revoked")
    )
)]
pub(in crate::http) async fn revoke_tokens(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    AccountId(id): AccountId,
    IfMatch(precondition): IfMatch,
    Extension(exchange): Extension<Arc<Exchange>>,
    OptionalJsonObject(body): OptionalJsonObject,
) -> Result<StatusCode, ApiError> {
    body.finish()?;
    authority
        .revoke_tokens(&caller, &exchange.origin(), id, &precondition)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
