//! `/api/v1/service-accounts/{id}/usage`.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use prokura_wire as wire;

use super::{
    answer::json, bearer::ReadsServiceAccounts, error::ApiError, path::AccountId, query::Query,
};
use crate::{
    authority::Authority,
    domain::{DailyUsage, Day},
};

/// The days shown if `days` is not given.
const DEFAULT_DAYS: u32 = 30;
/// The most days of one request.
const MAX_DAYS: u32 = 90;

/// Get the usage of a service account.
///
/// The number of tokens issued and refused on each of the last `days` days in UTC, oldest first, today last. What another node
/// has counted appears a few seconds later.
#[utoipa::path(
    get,
    path = "/api/v1/service-accounts/{id}/usage",
    tag = "service-accounts",
    security(("bearer" = ["management:service-accounts:read"])),
    params(
        ("id" = String, Path, description = "The id of the account, a UUID", format = "uuid"),
        ("days" = Option<u16>, Query, description = "The number of days, 1 to 90. Default: 30", minimum = 1, maximum = 90)
    ),
    responses(
        (status = 200, description = "The usage of each day", body = wire::UsageList)
    )
)]
pub(in crate::http) async fn get_usage(
    State(authority): State<Arc<Authority>>,
    ReadsServiceAccounts(caller): ReadsServiceAccounts,
    AccountId(id): AccountId,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let days = Query::read(query.as_deref(), &["days"])?
        .number("days", 1..=MAX_DAYS)?
        .unwrap_or(DEFAULT_DAYS);
    let usage = authority.get_usage(&caller, id, days).await?;
    let list = wire::UsageList {
        items: usage.iter().map(daily_usage).collect(),
    };
    Ok(json(StatusCode::OK, &list))
}

fn daily_usage(usage: &DailyUsage) -> wire::DailyUsage {
    wire::DailyUsage {
        date: date(usage.day),
        tokens_issued: usage.tokens_issued,
        tokens_refused: usage.tokens_refused,
    }
}

/// `2026-11-23`.
fn date(day: Day) -> String {
    jiff::Timestamp::from_millisecond(day.start().as_millis())
        .map(|start| start.strftime("%F").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_an_iso_8601_date() {
        assert_eq!(date(Day::from_number(0)), "1970-01-01");
        assert_eq!(date(Day::from_number(20_780)), "2026-11-23");
    }
}
