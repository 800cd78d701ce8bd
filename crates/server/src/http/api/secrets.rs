//! `/api/v1/service-accounts/{id}/secrets`: listing, adding and deleting secrets.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use prokura_wire as wire;

use super::{
    ApiError,
    account_answer::credentials,
    answer::{Answer, json},
    bearer::{ChangesSecrets, ListsSecrets},
    idempotency::Idempotency,
    if_match::{IfMatch, IfMatchHeader},
    json_body::OptionalJsonObject,
    json_types::number,
    path::{AccountId, SecretIdInPath},
};
use crate::{
    authority::{AddedSecret, Authority, ListedSecret},
    http::exchange::Exchange,
};

/// List the secrets of a service account, newest first.
///
/// The list contains the live secrets and those that ended in the last 30 days. It does not contain the secret texts.
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
    ListsSecrets(caller): ListsSecrets,
    AccountId(id): AccountId,
) -> Result<Response, ApiError> {
    let secrets = authority.list_secrets(&caller, id).await?;
    let list = wire::ServiceAccountSecretList {
        items: secrets.iter().map(secret).collect(),
    };
    Ok(json(StatusCode::OK, &list))
}

/// Add a secret to a service account.
///
/// The other secrets keep working; an account can have up to five live secrets. The response contains the new secret, which
/// cannot be read again later. A repeat with the same `Idempotency-Key` gets the same response.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts/{id}/secrets",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:rotate"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        IfMatchHeader,
        Idempotency
    ),
    request_body(content = Option<wire::AddSecret>),
    responses(
        (status = 201, description = "The secret was added", body = wire::AddedSecret),
        (status = 409, description = "The account has five live secrets already", body = wire::ApiError),
        (status = 422, description = "The Idempotency-Key was used for a different request", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn add_secret(
    State(authority): State<Arc<Authority>>,
    ChangesSecrets(caller): ChangesSecrets,
    AccountId(id): AccountId,
    IfMatch(precondition): IfMatch,
    Extension(exchange): Extension<Arc<Exchange>>,
    idempotency: Idempotency,
    OptionalJsonObject(mut body): OptionalJsonObject,
) -> Result<Response, ApiError> {
    let request = idempotency.of(&body);
    let expires_in_seconds = body
        .nullable("expiresInSeconds", number(wire::SECRET_LIFETIME_SECONDS))
        .flatten();
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

/// Delete a secret of a service account.
///
/// The secret stops working at once. Tokens that were issued for it stay active until they expire.
#[utoipa::path(
    delete,
    path = "/api/v1/service-accounts/{id}/secrets/{secretId}",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:rotate"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        ("secretId" = String, Path, description = "The secret's id, a UUID", format = "uuid"),
        IfMatchHeader
    ),
    responses(
        (status = 204, description = "The secret was deleted"),
        (status = 404, description = "The account does not exist, or it has no such live secret", body = wire::ApiError),
        (status = 409, description = "The organization would have no usable administrator", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn delete_secret(
    State(authority): State<Arc<Authority>>,
    ChangesSecrets(caller): ChangesSecrets,
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
