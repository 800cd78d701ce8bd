//! `POST /api/v1/service-accounts/{id}/rotate-secret`.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use prokura_wire as wire;

use crate::{
    authority::{Authority, IssuedSecret, RotationRequest},
    http::{
        api::{
            ApiError,
            account_answer::account_with_secret,
            answer::Answer,
            bearer::ChangesSecrets,
            idempotency::Idempotency,
            if_match::{IfMatch, IfMatchHeader},
            json_body::OptionalJsonObject,
            json_object::JsonObject,
            json_types::{boolean, number},
            path::AccountId,
        },
        exchange::Exchange,
    },
};

/// Rotate the secret of a service account.
///
/// The response contains the new secret, which cannot be read again later. The old secrets stop working at once, or after
/// `gracePeriodSeconds`. Tokens issued so far stay active until they expire, unless `revokeTokens` is true. If the response is
/// lost, repeat the request with the same `Idempotency-Key` to get it again, or rotate once more.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts/{id}/rotate-secret",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:rotate"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        IfMatchHeader,
        Idempotency
    ),
    request_body(content = Option<wire::RotateSecret>),
    responses(
        (status = 200, description = "The secret was rotated", body = wire::ServiceAccountCredentials, headers(("ETag" = String, description = "The state of the account, for If-Match"))),
        (status = 409, description = "With the grace period, the account would have more than five live secrets", body = wire::ApiError),
        (status = 422, description = "The Idempotency-Key was used for a different request", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn rotate_secret(
    State(authority): State<Arc<Authority>>,
    ChangesSecrets(caller): ChangesSecrets,
    AccountId(id): AccountId,
    IfMatch(precondition): IfMatch,
    Extension(exchange): Extension<Arc<Exchange>>,
    idempotency: Idempotency,
    OptionalJsonObject(body): OptionalJsonObject,
) -> Result<Response, ApiError> {
    let request = idempotency.of(&body);
    let rotation = read(body)?;
    let origin = exchange.origin();
    request
        .once(&rotated, |once| {
            authority.rotate_secret(&caller, &origin, id, rotation, &precondition, once)
        })
        .await
}

/// Reads a [`wire::RotateSecret`]. The configuration limits the grace period, so the authority checks it.
fn read(mut body: JsonObject) -> Result<RotationRequest, ApiError> {
    let rotation = RotationRequest {
        grace_period_seconds: body
            .nullable("gracePeriodSeconds", number(0..=u32::MAX))
            .flatten()
            .unwrap_or(0),
        expires_in_seconds: body
            .nullable("expiresInSeconds", number(wire::SECRET_LIFETIME_SECONDS))
            .flatten(),
        revoke_tokens: body
            .nullable("revokeTokens", boolean)
            .flatten()
            .unwrap_or(false),
    };
    body.finish()?;
    Ok(rotation)
}

fn rotated(issued: &IssuedSecret) -> Answer {
    account_with_secret(StatusCode::OK, issued)
}
