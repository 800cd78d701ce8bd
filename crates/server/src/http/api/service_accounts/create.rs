//! `POST /api/v1/service-accounts`.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use prokura_wire as wire;

use crate::{
    authority::{Authority, IssuedSecret},
    http::{
        api::{
            ApiError, account_answer::account_with_secret, account_json::read_new_account,
            answer::Answer, bearer::ManagesServiceAccounts, idempotency::Idempotency,
            json_object::JsonObject,
        },
        exchange::Exchange,
    },
};

/// Create a service account.
///
/// The response contains the client secret, which cannot be read again later. A repeat with the same `Idempotency-Key` gets the
/// same response.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(Idempotency),
    request_body(content = wire::CreateServiceAccount),
    responses(
        (status = 201, description = "The account was created", body = wire::ServiceAccountCredentials, headers(("Location" = String, description = "The URL of the account"), ("ETag" = String, description = "The state of the account, for If-Match"))),
        (status = 422, description = "The Idempotency-Key was used for a different request", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn create_service_account(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    Extension(exchange): Extension<Arc<Exchange>>,
    idempotency: Idempotency,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let request = idempotency.of(&body);
    let (name, settings) = read_new_account(body)?;
    let answer = |issued: &IssuedSecret| created(authority.issuer(), issued);
    let origin = exchange.origin();
    request
        .once(&answer, |once| {
            authority.create_service_account(&caller, &origin, name, settings, once)
        })
        .await
}

fn created(issuer: &str, issued: &IssuedSecret) -> Answer {
    let location = format!("{issuer}/api/v1/service-accounts/{}", issued.account.id);
    let answer = account_with_secret(StatusCode::CREATED, issued);
    match HeaderValue::try_from(location) {
        Ok(location) => answer.with(header::LOCATION, location),
        Err(_) => answer,
    }
}
