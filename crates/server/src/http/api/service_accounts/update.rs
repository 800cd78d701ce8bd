//! `PATCH /api/v1/service-accounts/{id}`.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse as _, Response},
};
use prokura_wire as wire;

use crate::{
    authority::Authority,
    http::{
        api::{
            ApiError, account_answer,
            account_json::read_patch,
            bearer::ManagesServiceAccounts,
            if_match::{IfMatch, IfMatchHeader},
            json_body::MergePatch,
            path::AccountId,
        },
        exchange::Exchange,
    },
};

/// Update a service account.
///
/// The body is a merge patch (RFC 7396): absent members stay as they are, null removes a value, and `labels` are merged key by
/// key. A disabled or expired account gets no tokens, and its tokens are inactive. Enabling the account reactivates the tokens
/// that have not expired. Removing a scope removes it from the account's tokens at once.
#[utoipa::path(
    patch,
    path = "/api/v1/service-accounts/{id}",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        IfMatchHeader
    ),
    request_body(content(
        (wire::UpdateServiceAccount = "application/merge-patch+json"),
        (wire::UpdateServiceAccount = "application/json")
    )),
    responses(
        (status = 200, description = "The updated account", body = wire::ServiceAccountEnvelope, headers(("ETag" = String, description = "The state of the account, for If-Match"))),
        (status = 409, description = "The organization would have no usable administrator", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn update_service_account(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    AccountId(id): AccountId,
    IfMatch(precondition): IfMatch,
    Extension(exchange): Extension<Arc<Exchange>>,
    MergePatch(body): MergePatch,
) -> Result<Response, ApiError> {
    let patch = read_patch(body)?;
    let account = authority
        .update_service_account(&caller, &exchange.origin(), id, &patch, &precondition)
        .await?;
    Ok(account_answer::account(&account).into_response())
}
