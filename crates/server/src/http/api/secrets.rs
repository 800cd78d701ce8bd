//! `/api/v1/service-accounts/{id}/secrets`, and what else ends secrets and tokens.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use prokura_wire as wire;

use super::{
    ApiError,
    answer::{Answer, json},
    bearer::{ManagesServiceAccounts, ReadsServiceAccounts},
    idempotency::Idempotency,
    if_match::IfMatch,
    json::OptionalJsonObject,
    path::{AccountId, SecretIdInPath},
    service_accounts::{MAX_EXPIRES_IN_SECONDS, answer, credentials},
};
use crate::{
    authority::{AddedSecret, Authority, ListedSecret},
    http::exchange::Exchange,
};

/// List the secrets of a service account, newest first.
///
/// Those that live, and those that ended in the last 30 days. Never the secrets themselves.
#[utoipa::path(
    get,
    path = "/api/v1/service-accounts/{id}/secrets",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:read"])),
    params(("id" = String, Path, description = "The account's id, a UUID", format = "uuid")),
    responses(
        (status = 200, description = "The secrets", body = wire::ServiceAccountSecretList)
    )
)]
pub(in crate::http) async fn list_secrets(
    State(authority): State<Arc<Authority>>,
    ReadsServiceAccounts(caller): ReadsServiceAccounts,
    AccountId(id): AccountId,
) -> Result<Response, ApiError> {
    let secrets = authority.list_secrets(&caller, id).await?;
    let list = wire::ServiceAccountSecretList {
        items: secrets.iter().map(secret).collect(),
    };
    Ok(json(StatusCode::OK, &list))
}

/// Give a service account a further secret beside those that live.
///
/// At most five live at once. The answer holds the new secret, which is shown this once; a repeat with the same
/// `Idempotency-Key` gets the same answer.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts/{id}/secrets",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "Only if the account is as this ETag says"),
        Idempotency
    ),
    request_body(content = Option<wire::AddSecret>),
    responses(
        (status = 201, description = "Added", body = wire::AddedSecret),
        (status = 409, description = "Five secrets live already", body = wire::ApiError),
        (status = 422, description = "The Idempotency-Key was used for another request", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn add_secret(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    AccountId(id): AccountId,
    IfMatch(precondition): IfMatch,
    Extension(exchange): Extension<Arc<Exchange>>,
    idempotency: Idempotency,
    OptionalJsonObject(mut body): OptionalJsonObject,
) -> Result<Response, ApiError> {
    let request = idempotency.of(&body);
    let expires_in_seconds = body.optional_number("expiresInSeconds", 1, MAX_EXPIRES_IN_SECONDS);
    body.finish()?;
    let origin = exchange.origin();
    request
        .once(&added, |once| {
            authority.add_secret(
                &caller,
                &origin,
                id,
                expires_in_seconds,
                &precondition,
                once,
            )
        })
        .await
}

fn added(added: &AddedSecret) -> Answer {
    let answer = wire::AddedSecret {
        secret: secret(&added.listed),
        credentials: credentials(&added.issued),
    };
    Answer::json(StatusCode::CREATED, &answer)
}

/// End one secret of a service account at once.
#[utoipa::path(
    delete,
    path = "/api/v1/service-accounts/{id}/secrets/{secretId}",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        ("secretId" = String, Path, description = "The secret's id, a UUID", format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "Only if the account is as this ETag says")
    ),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "There is no such account, or it has no such living secret", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn delete_secret(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    AccountId(id): AccountId,
    SecretIdInPath(secret): SecretIdInPath,
    IfMatch(precondition): IfMatch,
    Extension(exchange): Extension<Arc<Exchange>>,
) -> Result<StatusCode, ApiError> {
    authority
        .delete_secret(&caller, &exchange.origin(), id, secret, &precondition)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take back a rotation whose grace has not ended.
///
/// The secret that it made ends at once, and those that were to retire live on as before.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts/{id}/cancel-rotation",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "Only if the account is as this ETag says")
    ),
    responses(
        (status = 200, description = "Taken back", body = wire::ServiceAccountEnvelope, headers(("ETag" = String, description = "The state of the account, for If-Match"))),
        (status = 409, description = "No rotation is under way", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn cancel_rotation(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    AccountId(id): AccountId,
    IfMatch(precondition): IfMatch,
    Extension(exchange): Extension<Arc<Exchange>>,
    OptionalJsonObject(body): OptionalJsonObject,
) -> Result<Response, ApiError> {
    body.finish()?;
    let account = authority
        .cancel_rotation(&caller, &exchange.origin(), id, &precondition)
        .await?;
    Ok(answer(&account).into_response())
}

/// End every token issued to a service account so far, and nothing else.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts/{id}/revoke-tokens",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "Only if the account is as this ETag says")
    ),
    responses(
        (status = 204, description = "Ended")
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

fn secret(listed: &ListedSecret) -> wire::ServiceAccountSecret {
    let secret = &listed.secret;
    wire::ServiceAccountSecret {
        id: secret.id.to_string(),
        hint: secret.hint.clone(),
        created_at: secret.created_at.to_string(),
        created_by: secret.created_by.map(|id| id.to_string()),
        expires_at: secret.ends_at().map(|at| at.to_string()),
        last_used_at: secret.last_used_at.map(|at| at.to_string()),
        state: listed.state.as_str().to_owned(),
        safe_to_revoke: listed.safe_to_revoke,
    }
}
