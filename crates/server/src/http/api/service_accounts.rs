//! `/api/v1/service-accounts`.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{FromRequestParts, RawQuery, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, future::ready, stream};
use prokura_wire as wire;
use serde::Serialize;

use super::{
    ApiError,
    bearer::{ManagesServiceAccounts, ReadsServiceAccounts},
    json::{JsonObject, OptionalJsonObject},
};
use crate::{
    authority::{Authority, IssuedCredentials, NewServiceAccount, Origin, Unavailable},
    domain::{Description, Name, ScopeSet, ServiceAccount, ServiceAccountId, Timestamp},
    http::form,
};

/// How many accounts a page has if only a cursor is given.
const DEFAULT_LIMIT: usize = 50;
/// How many accounts a page may have.
const MAX_LIMIT: usize = 200;

/// Create a service account.
///
/// The answer holds its client secret, which is shown this once.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    request_body(content = wire::CreateServiceAccount),
    responses(
        (status = 201, description = "Created", body = wire::ServiceAccountCredentials, headers(("Location" = String, description = "The URL of the account"))),
        (status = 400, description = "A member is wrong, missing, unknown or repeated", body = wire::ApiError),
        (status = 401, description = "No living access token for this API", body = wire::ApiError),
        (status = 403, description = "A scope is lacking: to write, or one to be granted", body = wire::ApiError),
        (status = 413, description = "The body is larger than 64 KiB", body = wire::ApiError),
        (status = 415, description = "The body is not application/json", body = wire::ApiError),
        (status = 503, description = "The store is away; try again", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn create_service_account(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    Extension(origin): Extension<Origin>,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let new = new_service_account(body)?;
    let issued = authority
        .create_service_account(&caller, &origin, new)
        .await?;
    let location = format!(
        "{}/api/v1/service-accounts/{}",
        authority.issuer(),
        issued.account.id
    );
    let mut response = json(StatusCode::CREATED, &with_credentials(&issued));
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
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
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let Some((cursor, limit)) = page(query.as_deref().unwrap_or_default())? else {
        return stream_all(authority.stream_service_accounts(&caller)).await;
    };
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
/// The old secret is refused from now on; tokens already issued live until they expire. The answer holds the new secret,
/// which is shown this once. Should the answer be lost, rotate again.
#[utoipa::path(
    post,
    path = "/api/v1/service-accounts/{id}/rotate-secret",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(("id" = String, Path, description = "The account's id, a UUID", format = "uuid")),
    responses(
        (status = 200, description = "Rotated", body = wire::ServiceAccountCredentials),
        (status = 400, description = "The id is no UUID in canonical form", body = wire::ApiError),
        (status = 401, description = "No living access token for this API", body = wire::ApiError),
        (status = 403, description = "A scope is lacking: to write, or one that the account holds", body = wire::ApiError),
        (status = 404, description = "There is no such account", body = wire::ApiError),
        (status = 503, description = "The store is away; try again", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn rotate_secret(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    AccountId(id): AccountId,
    Extension(origin): Extension<Origin>,
    OptionalJsonObject(body): OptionalJsonObject,
) -> Result<Response, ApiError> {
    body.finish()?;
    let issued = authority.rotate_secret(&caller, &origin, id).await?;
    Ok(json(StatusCode::OK, &with_credentials(&issued)))
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

/// The `{id}` of the path. It must stand there in its one canonical spelling, unescaped.
pub(in crate::http) struct AccountId(pub(super) ServiceAccountId);

impl<S: Send + Sync> FromRequestParts<S> for AccountId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        const BEFORE: &str = "/api/v1/service-accounts/";
        let path = parts.uri.path();
        path.strip_prefix(BEFORE)
            .and_then(|rest| rest.split('/').next())
            .and_then(ServiceAccountId::parse)
            .map(Self)
            .ok_or_else(|| {
                ApiError::field(
                    "id",
                    "must be the account's id, a UUID in lower case with hyphens (not its client id)",
                )
            })
    }
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

/// The cursor and the limit of a page. `None`: neither is given, so all is asked for.
fn page(query: &str) -> Result<Option<(Option<String>, usize)>, ApiError> {
    let (mut limit, mut cursor) = (None, None);
    for (name, value) in form::pairs(query.as_bytes()) {
        let name = form::decode(name).unwrap_or_default();
        let value = form::decode(value).unwrap_or_default();
        match &*name {
            "limit" if limit.is_none() => {
                let number = value
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
                    .then(|| value.parse().ok())
                    .flatten()
                    .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                    .ok_or_else(|| ApiError::field("limit", "must be a number from 1 to 200"))?;
                limit = Some(number);
            }
            "cursor" if cursor.is_none() => {
                if value.is_empty() {
                    return Err(ApiError::field("cursor", "must not be empty"));
                }
                cursor = Some(value);
            }
            "limit" | "cursor" => return Err(ApiError::field(&name, "is given more than once")),
            _ => {
                let name = name.chars().take(64).collect::<String>();
                return Err(ApiError::field(&name, "is not a parameter of this list"));
            }
        }
    }
    let asked = limit.is_some() || cursor.is_some();
    Ok(asked.then(|| (cursor, limit.unwrap_or(DEFAULT_LIMIT))))
}

/// All accounts as one JSON object, written as they are read. The first of them are read before the answer begins, so
/// that a store that is away is a 503; one that goes away later cuts the answer off.
async fn stream_all(
    chunks: impl Stream<Item = Result<Vec<ServiceAccount>, Unavailable>> + Send + 'static,
) -> Result<Response, ApiError> {
    let mut chunks = Box::pin(chunks);
    let first = chunks.next().await.transpose()?.unwrap_or_default();
    let mut is_first = true;
    let items = stream::once(ready(Ok(first)))
        .chain(chunks)
        .map(move |chunk| {
            let mut text = Vec::new();
            for account in chunk? {
                if !std::mem::take(&mut is_first) {
                    text.push(b',');
                }
                serde_json::to_writer(&mut text, &service_account(&account))
                    .map_err(|error| Box::new(error) as Box<dyn std::error::Error + Send + Sync>)?;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Bytes::from(text))
        });
    let text = |text: &'static str| stream::once(ready(Ok(Bytes::from_static(text.as_bytes()))));
    let body = text(r#"{"items":["#).chain(items).chain(text("]}"));
    Ok((
        [(header::CONTENT_TYPE, "application/json")],
        Body::from_stream(body),
    )
        .into_response())
}

fn with_credentials(issued: &IssuedCredentials) -> wire::ServiceAccountCredentials {
    wire::ServiceAccountCredentials {
        service_account: service_account(&issued.account),
        credentials: wire::Credentials {
            client_id: issued.account.id.client_id().to_string(),
            client_secret: wire::Secret::new(issued.secret.expose()),
        },
    }
}

fn service_account(account: &ServiceAccount) -> wire::ServiceAccount {
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

/// RFC 3339 in UTC with milliseconds.
fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map(|at| format!("{at:.3}"))
        .unwrap_or_default()
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("an answer is made of strings and numbers");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_milliseconds_always() {
        let text = |millis| instant(Timestamp::from_millis(millis));
        assert_eq!(text(1_795_435_200_000), "2026-11-23T12:00:00.000Z");
        assert_eq!(text(1), "1970-01-01T00:00:00.001Z");
    }
}
