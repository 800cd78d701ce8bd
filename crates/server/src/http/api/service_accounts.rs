//! `/api/v1/service-accounts`.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Extension,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use prokura_wire as wire;

use super::{
    ApiError, account_body,
    answer::{Answer, JSON_LIST, push_json, streamed},
    bearer::{ManagesServiceAccounts, ReadsServiceAccounts},
    idempotency::Idempotency,
    if_match::{IfMatch, account_tag, is_known},
    json::{JsonObject, MergePatch, OptionalJsonObject},
    path::AccountId,
    query::Query,
};
use crate::{
    authority::{Authority, IssuedSecret, RotationRequest},
    domain::{AccountFilter, ClientId, Description, Label, Name, ServiceAccount, Timestamp},
    encoding::push_json_text,
    http::exchange::Exchange,
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
    params(Idempotency),
    request_body(content = wire::CreateServiceAccount),
    responses(
        (status = 201, description = "Created", body = wire::ServiceAccountCredentials, headers(("Location" = String, description = "The URL of the account"), ("ETag" = String, description = "The state of the account, for If-Match"))),
        (status = 422, description = "The Idempotency-Key was used for another request", body = wire::ApiError)
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
    let new = account_body::new_service_account(body)?;
    let origin = exchange.origin();
    let answer = |issued: &IssuedSecret| created(authority.issuer(), issued);
    request
        .once(&answer, |once| {
            authority.create_service_account(&caller, &origin, new, once)
        })
        .await
}

fn created(issuer: &str, issued: &IssuedSecret) -> Answer {
    let location = format!("{issuer}/api/v1/service-accounts/{}", issued.account.id);
    let answer = answer_with_credentials(StatusCode::CREATED, issued);
    match HeaderValue::try_from(location) {
        Ok(location) => answer.with(header::LOCATION, location),
        Err(_) => answer,
    }
}

/// List service accounts, oldest first.
///
/// Without `limit` and `cursor` all of them. With either, a page, and unless it is the last a `nextCursor`. The other
/// parameters narrow the list; repeat them with the cursor.
#[utoipa::path(
    get,
    path = "/api/v1/service-accounts",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:read"])),
    params(
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before"),
        ("name" = Option<String>, Query, description = "Only accounts with this in their name, in upper or lower case"),
        ("label" = Option<Vec<String>>, Query, description = "Only accounts with this label, `key:value`; repeat it to ask for several labels", style = Form, explode),
        ("owner" = Option<String>, Query, description = "Only accounts of this owner, to the letter"),
        ("disabled" = Option<bool>, Query, description = "Only accounts that are disabled, or only those that are not"),
        ("unusedForDays" = Option<u32>, Query, description = "Only accounts that got no token for so many days, or since they were created", minimum = 0, maximum = 3650),
        ("secretExpiresWithinDays" = Option<u32>, Query, description = "Only accounts with a living secret that expires within so many days; one that a rotation is ending does not count", minimum = 0, maximum = 3650)
    ),
    responses(
        (status = 200, description = "The accounts", body = wire::ServiceAccountList)
    )
)]
pub(in crate::http) async fn list_service_accounts(
    State(authority): State<Arc<Authority>>,
    ReadsServiceAccounts(caller): ReadsServiceAccounts,
    Extension(exchange): Extension<Arc<Exchange>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Query::read(query.as_deref(), &LIST_PARAMETERS)?;
    let filter = filter(&query)?;
    if !query.has("limit") && !query.has("cursor") {
        let accounts = authority.stream_service_accounts(&caller, filter);
        return streamed(JSON_LIST, exchange, accounts, push_account).await;
    }
    let (cursor, limit) = (query.cursor()?, query.limit()?);
    let page = authority
        .list_service_accounts(&caller, &filter, cursor.as_deref(), limit)
        .await?;
    let text = page_text(&page.items, page.next_cursor.as_deref());
    Ok(Answer::written(StatusCode::OK, text).into_response())
}

/// Get a service account.
#[utoipa::path(
    get,
    path = "/api/v1/service-accounts/{id}",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:read"])),
    params(("id" = String, Path, description = "The account's id, a UUID", format = "uuid")),
    responses(
        (status = 200, description = "The account", body = wire::ServiceAccountEnvelope, headers(("ETag" = String, description = "The state of the account, for If-Match"))),
        (status = 304, description = "The account is as If-None-Match says")
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
    Ok(answer(&account).into_response())
}

/// Change a service account.
///
/// A merge patch (RFC 7396): members that are left out stay as they are, null takes a value away, and `labels` are merged one
/// by one. While an account is disabled or expired it gets no tokens and its tokens are dead; those that have not expired by
/// then revive with it. Scopes taken away are gone from its tokens at once.
#[utoipa::path(
    patch,
    path = "/api/v1/service-accounts/{id}",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "Only if the account is as this ETag says")
    ),
    request_body(content(
        (wire::UpdateServiceAccount = "application/merge-patch+json"),
        (wire::UpdateServiceAccount = "application/json")
    )),
    responses(
        (status = 200, description = "The account as it is now", body = wire::ServiceAccountEnvelope, headers(("ETag" = String, description = "The state of the account, for If-Match")))
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
    let patch = account_body::account_patch(body)?;
    let account = authority
        .update_service_account(&caller, &exchange.origin(), id, &patch, &precondition)
        .await?;
    Ok(answer(&account).into_response())
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
        ("If-Match" = Option<String>, Header, description = "Only if the account is as this ETag says"),
        Idempotency
    ),
    request_body(content = Option<wire::RotateSecret>),
    responses(
        (status = 200, description = "Rotated", body = wire::ServiceAccountCredentials, headers(("ETag" = String, description = "The state of the account, for If-Match"))),
        (status = 409, description = "With grace there would be more than five living secrets", body = wire::ApiError),
        (status = 422, description = "The Idempotency-Key was used for another request", body = wire::ApiError)
    )
)]
pub(in crate::http) async fn rotate_secret(
    State(authority): State<Arc<Authority>>,
    ManagesServiceAccounts(caller): ManagesServiceAccounts,
    AccountId(id): AccountId,
    IfMatch(precondition): IfMatch,
    Extension(exchange): Extension<Arc<Exchange>>,
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
    let origin = exchange.origin();
    request
        .once(&rotated, |once| {
            authority.rotate_secret(&caller, &origin, id, rotation, &precondition, once)
        })
        .await
}

fn rotated(issued: &IssuedSecret) -> Answer {
    answer_with_credentials(StatusCode::OK, issued)
}

/// Delete a service account.
///
/// For good: its secret and every token it ever got are dead from now on.
#[utoipa::path(
    delete,
    path = "/api/v1/service-accounts/{id}",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:write"])),
    params(
        ("id" = String, Path, description = "The account's id, a UUID", format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "Only if the account is as this ETag says")
    ),
    responses(
        (status = 204, description = "Deleted")
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

const LIST_PARAMETERS: [&str; 8] = [
    "limit",
    "cursor",
    "name",
    "label",
    "owner",
    "disabled",
    "unusedForDays",
    "secretExpiresWithinDays",
];
/// The most days that a filter can look back or ahead.
const MAX_DAYS: u32 = 3650;

fn filter(query: &Query) -> Result<AccountFilter, ApiError> {
    let text = |name| query.take(name, "must not be empty", |text| Some(text.to_owned()));
    Ok(AccountFilter {
        name: text("name")?,
        labels: query.take_all("label", "must be a label, key:value", Label::parse)?,
        owner: text("owner")?,
        disabled: query.take("disabled", "must be true or false", |text| {
            text.parse().ok()
        })?,
        unused_for_days: query.number("unusedForDays", 0..=MAX_DAYS)?,
        secret_expires_within_days: query.number("secretExpiresWithinDays", 0..=MAX_DAYS)?,
    })
}

/// As much as most accounts take, in bytes.
const ACCOUNT_BYTES: usize = 768;

/// The account, with its entity tag.
pub(super) fn answer(account: &ServiceAccount) -> Answer {
    let mut json = String::with_capacity(ACCOUNT_BYTES);
    json.push_str(r#"{"serviceAccount":"#);
    push_account(&mut json, account);
    json.push('}');
    Answer::written(StatusCode::OK, json).with(header::ETAG, account_tag(account))
}

fn answer_with_credentials(status: StatusCode, issued: &IssuedSecret) -> Answer {
    let mut json = String::with_capacity(ACCOUNT_BYTES);
    json.push_str(r#"{"serviceAccount":"#);
    push_account(&mut json, &issued.account);
    json.push_str(r#","credentials":"#);
    push_json(&mut json, &credentials(issued));
    json.push('}');
    Answer::written(status, json).with(header::ETAG, account_tag(&issued.account))
}

pub(super) fn credentials(issued: &IssuedSecret) -> wire::Credentials {
    wire::Credentials {
        client_id: issued.account.id.client_id().to_string(),
        client_secret: wire::Secret::new(issued.secret.expose()),
    }
}

/// A page of a list.
fn page_text(accounts: &[ServiceAccount], next_cursor: Option<&str>) -> String {
    let mut json = String::with_capacity(ACCOUNT_BYTES * accounts.len());
    json.push_str(r#"{"items":["#);
    for (number, account) in accounts.iter().enumerate() {
        if number > 0 {
            json.push(',');
        }
        push_account(&mut json, account);
    }
    json.push(']');
    if let Some(cursor) = next_cursor {
        json.push_str(r#","nextCursor":"#);
        push_json_text(&mut json, cursor);
    }
    json.push('}');
    json
}

/// What the [`wire::ServiceAccount`] of an account serializes to, written down, behind what `json` has already. Ids, instants
/// and scopes need no escaping.
fn push_account(json: &mut String, account: &ServiceAccount) {
    let id = &mut [0; 36];
    let id = account.id.encode(id);
    json.extend([
        r#"{"id":""#,
        id,
        r#"","clientId":""#,
        ClientId::PREFIX,
        id,
        r#"","name":"#,
    ]);
    push_json_text(json, account.name.as_str());
    json.push_str(r#","description":"#);
    push_text_or_null(json, account.description.as_ref().map(Description::as_str));
    json.push_str(r#","scopes":["#);
    for (number, scope) in account.scopes.iter().enumerate() {
        json.extend([if number > 0 { ",\"" } else { "\"" }, scope, "\""]);
    }
    json.push_str(r#"],"createdAt":"#);
    push_instant_or_null(json, Some(account.created_at));
    json.push_str(r#","updatedAt":"#);
    push_instant_or_null(json, Some(account.updated_at));
    json.push_str(r#","createdBy":"#);
    match account.created_by {
        Some(id) => json.extend(["\"", id.encode(&mut [0; 36]), "\""]),
        None => json.push_str("null"),
    }
    json.push_str(r#","lastUsedAt":"#);
    push_instant_or_null(json, account.last_used_at);
    json.push_str(r#","owner":"#);
    push_text_or_null(json, account.owner.as_ref().map(Name::as_str));
    json.push_str(r#","labels":{"#);
    for (number, (key, value)) in account.labels.iter().enumerate() {
        if number > 0 {
            json.push(',');
        }
        push_json_text(json, key);
        json.push(':');
        push_json_text(json, value);
    }
    json.push_str(r#"},"disabled":"#);
    json.push_str(if account.disabled_at.is_some() {
        "true"
    } else {
        "false"
    });
    json.push_str(r#","tokenLifetimeSeconds":"#);
    match account.token_lifetime_seconds {
        Some(seconds) => json.push_str(itoa::Buffer::new().format(seconds)),
        None => json.push_str("null"),
    }
    json.push_str(r#","expiresAt":"#);
    push_instant_or_null(json, account.expires_at);
    json.push('}');
}

fn push_text_or_null(json: &mut String, text: Option<&str>) {
    match text {
        Some(text) => push_json_text(json, text),
        None => json.push_str("null"),
    }
}

fn push_instant_or_null(json: &mut String, at: Option<Timestamp>) {
    match at {
        Some(at) => write!(json, "\"{at}\"").expect("memory takes everything"),
        None => json.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use serde::{Serialize, de::DeserializeOwned};

    use super::*;
    use crate::domain::{
        ClientSecret, Labels, LabelsPatch, OrganizationId, ScopeSet, ServiceAccountId,
    };

    /// Whether what is written down is, to the byte, what the `T` that it says is serialized to.
    fn is_serialized<T: DeserializeOwned + Serialize>(written: &str) -> bool {
        let read: T = serde_json::from_str(written).unwrap();
        serde_json::to_string(&read).unwrap() == written
    }

    #[test]
    fn what_is_written_down_is_what_would_be_serialized() {
        let id = ServiceAccountId::from_bytes([1; 16]);
        let name = |text: &str| Name::parse(text.to_owned()).unwrap();
        let bare = ServiceAccount::new(
            id,
            OrganizationId::from_bytes([2; 16]),
            name("CI \"\\ é"),
            Timestamp::from_millis(3),
            None,
        );
        let merge = LabelsPatch::Merge(vec![
            ("b".to_owned(), Some("\"".to_owned())),
            ("a".to_owned(), Some(String::new())),
        ]);
        let full = ServiceAccount {
            description: Some(Description::parse("a\nb".to_owned()).unwrap()),
            scopes: ScopeSet::parse("a b").unwrap(),
            owner: Some(name("owner")),
            labels: Labels::default().patched(&merge).unwrap(),
            token_lifetime_seconds: Some(60),
            expires_at: Some(Timestamp::from_millis(4)),
            disabled_at: Some(Timestamp::from_millis(5)),
            created_by: Some(id),
            last_used_at: Some(Timestamp::from_millis(6)),
            ..bare.clone()
        };
        let text = |answer: Answer| String::from_utf8(answer.body).unwrap();
        for account in [&bare, &full] {
            let written = text(answer(account));
            assert!(is_serialized::<wire::ServiceAccountEnvelope>(&written));
            let issued = IssuedSecret {
                account: account.clone(),
                secret: ClientSecret::from_random([7; 32]),
            };
            let written = text(answer_with_credentials(StatusCode::OK, &issued));
            assert!(is_serialized::<wire::ServiceAccountCredentials>(&written));
        }
        for accounts in [&[][..], slice::from_ref(&bare), &[bare.clone(), full]] {
            for next_cursor in [None, Some("next\"")] {
                let written = page_text(accounts, next_cursor);
                assert!(is_serialized::<wire::ServiceAccountList>(&written));
            }
        }
    }
}
