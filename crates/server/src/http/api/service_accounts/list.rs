//! `GET /api/v1/service-accounts`, and the parameters that filter the list.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawQuery, State},
    response::{IntoResponse as _, Response},
};
use prokura_wire as wire;

use crate::{
    authority::Authority,
    domain::{AccountFilter, Label},
    http::{
        api::{
            ApiError,
            account_answer::page,
            account_json::push_account,
            answer::{JSON_LIST, streamed},
            bearer::ReadsServiceAccounts,
            query::Query,
        },
        exchange::Exchange,
    },
};

/// List service accounts, oldest first.
///
/// Without `limit` and `cursor`, the response contains all accounts. With either, it contains one page, and a `nextCursor` unless
/// the page is the last. The other parameters are filters; an account must pass all of them. Repeat them with the cursor.
#[utoipa::path(
    get,
    path = "/api/v1/service-accounts",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:read"])),
    params(
        ("limit" = Option<u32>, Query, description = "The maximum number of accounts: 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page"),
        ("name" = Option<String>, Query, description = "Only accounts whose name contains this text, ignoring case"),
        ("label" = Option<Vec<String>>, Query, description = "Only accounts with this label, `key:value`. Repeat the parameter to require several labels", style = Form, explode),
        ("owner" = Option<String>, Query, description = "Only accounts with exactly this owner"),
        ("disabled" = Option<bool>, Query, description = "`true`: only disabled accounts. `false`: only enabled accounts"),
        ("unusedForDays" = Option<u32>, Query, description = "Only accounts that were issued no token for this many days, counted from their creation if they never were", minimum = 0, maximum = 3650),
        ("secretExpiresWithinDays" = Option<u32>, Query, description = "Only accounts with an active secret that expires within this many days. Secrets that a rotation is retiring do not count", minimum = 0, maximum = 3650)
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
    let query = Query::read(query.as_deref(), &PARAMETERS)?;
    let filter = filter(&query)?;
    if !query.has("limit") && !query.has("cursor") {
        let accounts = authority.stream_service_accounts(&caller, filter);
        return streamed(JSON_LIST, exchange, accounts, push_account).await;
    }
    let (cursor, limit) = (query.cursor()?, query.limit()?);
    let found = authority
        .list_service_accounts(&caller, &filter, cursor.as_deref(), limit)
        .await?;
    Ok(page(&found.items, found.next_cursor.as_deref()).into_response())
}

const PARAMETERS: [&str; 8] = [
    "limit",
    "cursor",
    "name",
    "label",
    "owner",
    "disabled",
    "unusedForDays",
    "secretExpiresWithinDays",
];
/// The maximum number of days in a filter.
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
