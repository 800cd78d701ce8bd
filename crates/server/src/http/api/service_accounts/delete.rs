//! `DELETE /api/v1/service-accounts/{id}`.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode};
use prokura_wire as wire;

use crate::{
    authority::Authority,
    http::{
        api::{
            ApiError,
            bearer::ManagesServiceAccounts,
            if_match::{IfMatch, IfMatchHeader},
            path::AccountId,
        },
        exchange::Exchange,
    },
};

/// Delete a service account.
///
/// Deleting is permanent. The account's secrets and all its tokens stop working at once.
#[utoipa::path(
    delete,
    path = "/api/v1/service-accounts/{id}",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        IfMatchHeader
    ),
    responses(
        (status = 204, description = "The account was deleted"),
        (status = 409, description = "The organization would have no usable administrator", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn delete_service_account(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    AccountId(id): AccountId,
    IfMatch(precondition): IfMatch,
    Extension(exchange): Extension<Arc<Exchange>>,
) -> Result<StatusCode, ApiError> {
    authority
        .delete_service_account(&caller, &exchange.origin(), id, &precondition)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
