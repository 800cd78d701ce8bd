//! `GET /api/v1/service-accounts/{id}`.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use prokura_wire as wire;

use crate::{
    authority::Authority,
    http::api::{
        ApiError, account_answer,
        account_tag::{account_tag, is_known},
        bearer::ReadsServiceAccounts,
        path::AccountId,
    },
};

/// Get a service account.
#[utoipa::path(
    get,
    path = "/api/v1/service-accounts/{id}",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:read"])),
    params(("id" = String, Path, description = "The account's id, a UUID", format = "uuid")),
    responses(
        (status = 200, description = "The account", body = wire::ServiceAccountEnvelope, headers(("ETag" = String, description = "The state of the account, for If-Match"))),
        (status = 304, description = "The account still has the ETag in If-None-Match")
    )
)]
pub(in crate::http) async fn get_service_account(
    State(authority): State<Arc<Authority>>,
    ReadsServiceAccounts(caller): ReadsServiceAccounts,
    AccountId(id): AccountId,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let account = authority.get_service_account(&caller, id).await?;
    if is_known(&headers, &account) {
        let tag = [(header::ETAG, account_tag(&account))];
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Ok(account_answer::account(&account).into_response())
}
