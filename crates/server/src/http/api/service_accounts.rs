//! `/api/v1/service-accounts`.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawQuery, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use prokura_wire as wire;

use super::{
    ApiError,
    answer::{Answer, JSON_LIST, instant, json, streamed},
    bearer::{ManagesServiceAccounts, ReadsServiceAccounts},
    idempotency::{Idempotency, IdempotencyKeyHeader, respond},
    json::{JsonObject, OptionalJsonObject},
    path::AccountId,
    query::Query,
};
use crate::{
    authority::{Authority, IssuedCredentials, NewServiceAccount, Origin, RotationRequest},
    domain::{Description, Name, ScopeSet, ServiceAccount},
};

/// The longest life that a secret can be given: ten years, in seconds.
pub(super) const MAX_EXPIRES_IN_SECONDS: u32 = 10 * 365 * 24 * 3600;

/// Create a service account.
///
/// The answer holds its client secret, which is shown this once; a repeat with the same `Idempotency-Key` gets the same
/// answer.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(IdempotencyKeyHeader),
    request_body(content = wire::CreateServiceAccount),
    responses(
        (status = 201, description = "Created", body = wire::ServiceAccountCredentials, headers(("Location" = String, description = "The URL of the account"))),
        (status = 400, description = "A member is wrong, missing, unknown or repeated", body = wire::ApiError),
        (status = 401, description = "No living access token for this API", body = wire::ApiError),
        (status = 403, description = "A scope is lacking: to write, or one to be granted", body = wire::ApiError),
        (status = 413, description = "The body is larger than 64 KiB", body = wire::ApiError),
        (status = 415, description = "The body is not application/json", body = wire::ApiError),
        (status = 422, description = "The Idempotency-Key was used for another request", body = wire::ApiError),
        (status = 503, description = "The store is away; try again", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn create_service_account(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    Extension(origin): Extension<Origin>,
    idempotency: Idempotency,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let request = idempotency.of(&body);
    let new = new_service_account(body)?;
    let answer = |issued: &IssuedCredentials| created(authority.issuer(), issued);
    let answered = authority
        .create_service_account(&caller, &origin, new, request.answered_by(&answer))
        .await?;
    respond(answered, answer)
}

fn created(issuer: &str, issued: &IssuedCredentials) -> Answer {
    let location = format!("{issuer}/api/v1/service-accounts/{}", issued.account.id);
    let answer = Answer::json(StatusCode::CREATED, &with_credentials(issued));
    match HeaderValue::try_from(location) {
        Ok(location) => answer.with(header::LOCATION, location),
        Err(_) => answer,
    }
}

/// List service accounts, oldest first.
///
/// Without `limit` and `cursor` all of them. With either, a page, and unless it is the last a `nextCursor`.
#[utoipa::path(
    get,
    path = "/api/v1/service-accounts",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:read"])),
    params(
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before")
    ),
    responses(
        (status = 200, description = "The accounts", body = wire::ServiceAccountList),
        (status = 400, description = "A parameter is wrong, unknown or repeated", body = wire::ApiError),
        (status = 401, description = "No living access token for this API", body = wire::ApiError),
        (status = 403, description = "The scope to read is lacking", body = wire::ApiError),
        (status = 503, description = "The store is away; try again", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn list_service_accounts(
    State(authority): State<Arc<Authority>>,
    ReadsServiceAccounts(caller): ReadsServiceAccounts,
    Extension(origin): Extension<Origin>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Query::read(query.as_deref(), &["limit", "cursor"])?;
    if query.is_empty() {
        let accounts = authority.stream_service_accounts(&caller);
        return streamed(JSON_LIST, origin, accounts, service_account).await;
    }
    let (cursor, limit) = (query.cursor()?, query.limit()?);
    let page = authority
        .list_service_accounts(&caller, cursor.as_deref(), limit)
        .await?;
    let list = wire::ServiceAccountList {
        items: page.items.iter().map(service_account).collect(),
        next_cursor: page.next_cursor,
    };
    Ok(json(StatusCode::OK, &list))
}

/// Get a service account.
#[utoipa::path(
    get,
    path = "/api/v1/service-accounts/{id}",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:read"])),
    params(("id" = String, Path, description = "The account's id, a UUID", format = "uuid")),
    responses(
        (status = 200, description = "The account", body = wire::ServiceAccountEnvelope),
        (status = 400, description = "The id is no UUID in canonical form", body = wire::ApiError),
        (status = 401, description = "No living access token for this API", body = wire::ApiError),
        (status = 403, description = "The scope to read is lacking", body = wire::ApiError),
        (status = 404, description = "There is no such account", body = wire::ApiError),
        (status = 503, description = "The store is away; try again", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn get_service_account(
    State(authority): State<Arc<Authority>>,
    ReadsServiceAccounts(caller): ReadsServiceAccounts,
    AccountId(id): AccountId,
) -> Result<Response, ApiError> {
    let account = authority.get_service_account(&caller, id).await?;
    let envelope = wire::ServiceAccountEnvelope {
        service_account: service_account(&account),
    };
    Ok(json(StatusCode::OK, &envelope))
}

/// Rotate the secret of a service account.
///
/// Without a body the old secrets are refused from now on; with `gracePeriodSeconds` they live on for so long. Tokens already
/// issued live until they expire, unless `revokeTokens` is true. The answer holds the new secret, which is shown this once.
/// Should the answer be lost, repeat the request with the same `Idempotency-Key`, which gets the same answer, or rotate again.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts/{id}/rotate-secret",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        IdempotencyKeyHeader
    ),
    request_body(content = Option<wire::RotateSecret>),
    responses(
        (status = 200, description = "Rotated", body = wire::ServiceAccountCredentials),
        (status = 400, description = "The id is no UUID in canonical form", body = wire::ApiError),
        (status = 401, description = "No living access token for this API", body = wire::ApiError),
        (status = 403, description = "A scope is lacking: to write, or one that the account holds", body = wire::ApiError),
        (status = 404, description = "There is no such account", body = wire::ApiError),
        (status = 409, description = "With grace there would be more than five living secrets", body = wire::ApiError),
        (status = 415, description = "There is a body, and it is not application/json", body = wire::ApiError),
        (status = 422, description = "The Idempotency-Key was used for another request", body = wire::ApiError),
        (status = 503, description = "The store is away; try again", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn rotate_secret(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    AccountId(id): AccountId,
    Extension(origin): Extension<Origin>,
    idempotency: Idempotency,
    OptionalJsonObject(mut body): OptionalJsonObject,
) -> Result<Response, ApiError> {
    let request = idempotency.of(&body);
    let rotation = RotationRequest {
        // How much is allowed is the authority's to say.
        grace_period_seconds: body
            .optional_number("gracePeriodSeconds", 0, u32::MAX)
            .unwrap_or(0),
        expires_in_seconds: body.optional_number("expiresInSeconds", 1, MAX_EXPIRES_IN_SECONDS),
        revoke_tokens: body.optional_bool("revokeTokens"),
    };
    body.finish()?;
    let answered = authority
        .rotate_secret(
            &caller,
            &origin,
            id,
            rotation,
            request.answered_by(&rotated),
        )
        .await?;
    respond(answered, rotated)
}

fn rotated(issued: &IssuedCredentials) -> Answer {
    Answer::json(StatusCode::OK, &with_credentials(issued))
}

/// Delete a service account.
///
/// For good: its secret and every token it ever got are dead from now on.
#[utoipa::path(
    delete,
    path = "/api/v1/service-accounts/{id}",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(("id" = String, Path, description = "The account's id, a UUID", format = "uuid")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "The id is no UUID in canonical form", body = wire::ApiError),
        (status = 401, description = "No living access token for this API", body = wire::ApiError),
        (status = 403, description = "The scope to write is lacking", body = wire::ApiError),
        (status = 404, description = "There is no such account", body = wire::ApiError),
        (status = 503, description = "The store is away; try again", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn delete_service_account(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    AccountId(id): AccountId,
    Extension(origin): Extension<Origin>,
) -> Result<StatusCode, ApiError> {
    authority
        .delete_service_account(&caller, &origin, id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn new_service_account(mut body: JsonObject) -> Result<NewServiceAccount, ApiError> {
    let name = body
        .string("name")
        .and_then(|text| match Name::parse(text) {
            Ok(name) => Some(name),
            Err(error) => body.error("name", error.to_string()),
        });
    let description =
        body.optional_string("description")
            .and_then(|text| match Description::parse(text) {
                Ok(description) => Some(description),
                Err(error) => body.error("description", error.to_string()),
            });
    let scopes = body.optional_strings("scopes").and_then(|scopes| {
        match ScopeSet::from_tokens(scopes.iter().map(|scope| &**scope)) {
            Ok(scopes) => Some(scopes),
            Err(_) => body.error(
                "scopes",
                "must each be one scope: printable ASCII without spaces, quotes and backslashes",
            ),
        }
    });
    body.finish()?;
    let name = name.ok_or_else(|| ApiError::field("name", "is required"))?;
    Ok(NewServiceAccount {
        name,
        description,
        scopes,
    })
}

pub(super) fn with_credentials(issued: &IssuedCredentials) -> wire::ServiceAccountCredentials {
    wire::ServiceAccountCredentials {
        service_account: service_account(&issued.account),
        credentials: wire::Credentials {
            client_id: issued.account.id.client_id().to_string(),
            client_secret: wire::Secret::new(issued.secret.expose()),
        },
    }
}

pub(super) fn service_account(account: &ServiceAccount) -> wire::ServiceAccount {
    wire::ServiceAccount {
        id: account.id.to_string(),
        client_id: account.id.client_id().to_string(),
        name: account.name.as_str().to_owned(),
        description: account
            .description
            .as_ref()
            .map(|text| text.as_str().to_owned()),
        scopes: account.scopes.iter().map(str::to_owned).collect(),
        created_at: instant(account.created_at),
        updated_at: instant(account.updated_at),
        created_by: account.created_by.map(|id| id.to_string()),
        last_used_at: account.last_used_at.map(instant),
    }
}
