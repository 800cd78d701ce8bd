//! `POST /api/v1/service-accounts/{id}/cancel-rotation`.

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
            bearer::ChangesSecrets,
            if_match::{IfMatch, IfMatchHeader},
            json_body::OptionalJsonObject,
            path::AccountId,
        },
        exchange::Exchange,
    },
};

/// Cancel a rotation whose grace period has not ended.
///
/// The secret that the rotation created stops working at once. The secrets that were retiring become active again.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts/{id}/cancel-rotation",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:rotate"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        IfMatchHeader
    ),
    responses(
        (status = 200, description = "The rotation was cancelled", body = wire::ServiceAccountEnvelope, headers(("ETag" = String, description = "The state of the account, for If-Match"))),
        (status = 409, description = "No rotation is under way", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn cancel_rotation(
    State(authority): State<Arc<Authority>>,
    ChangesSecrets(caller): ChangesSecrets,
    AccountId(id): AccountId,
    IfMatch(precondition): IfMatch,
    Extension(exchange): Extension<Arc<Exchange>>,
    OptionalJsonObject(body): OptionalJsonObject,
) -> Result<Response, ApiError> {
    body.finish()?;
    let account = authority
        .cancel_rotation(&caller, &exchange.origin(), id, &precondition)
        .await?;
    Ok(account_answer::account(&account).into_response())
}
