//! `/api/v1/audit-events`.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use prokura_wire as wire;

use super::{
    answer::{JSON_LINES, json, push_json, streamed},
    bearer::ReadsAudit,
    error::ApiError,
    query::Query,
};
use crate::{
    audit_export,
    authority::Authority,
    domain::{Action, Actor, AuditFilter},
    http::exchange::Exchange,
};

/// List audit events, oldest first.
///
/// One page, with a `nextCursor` unless it is the last. Send the same filters with the cursor.
#[utoipa::path(
    get,
    path = "/api/v1/audit-events",
    tag = "audit",
    security(("bearer" = ["management:audit:read"])),
    params(
        ("limit" = Option<u32>, Query, description = "The most events of the page, 1 to 200. Default: 50", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the previous page"),
        ("serviceAccountId" = Option<String>, Query, description = "Only events whose target is this account or one of its tokens", format = "uuid"),
        ("action" = Option<String>, Query, description = "Only events of this action", example = "rotate_secret"),
        ("actor" = Option<String>, Query, description = "Only events of this actor: the id of an account, `operator`, or `unauthenticated`"),
        ("since" = Option<String>, Query, description = "Only events at or after this instant", format = "date-time"),
        ("until" = Option<String>, Query, description = "Only events before this instant", format = "date-time")
    ),
    responses(
        (status = 200, description = "The events", body = wire::AuditEventList)
    )
)]
pub(in crate::http) async fn list_audit_events(
    State(authority): State<Arc<Authority>>,
    ReadsAudit(caller): ReadsAudit,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Query::read(
        query.as_deref(),
        &[
            "limit",
            "cursor",
            "serviceAccountId",
            "action",
            "actor",
            "since",
            "until",
        ],
    )?;
    let filter = filter(&query)?;
    let (cursor, limit) = (query.cursor()?, query.limit()?);
    let page = authority
        .list_audit_events(&caller, &filter, cursor.as_deref(), limit)
        .await?;
    let list = wire::AuditEventList {
        items: page.items.iter().map(audit_export::to_wire).collect(),
        next_cursor: page.next_cursor,
    };
    Ok(json(StatusCode::OK, &list))
}

/// Export the audit trail.
///
/// All events of the organization, one JSON object per line, oldest first. Each event contains the hash of the one before;
/// `prokura audit verify --file` verifies the chain.
#[utoipa::path(
    get,
    path = "/api/v1/audit-events/export",
    tag = "audit",
    security(("bearer" = ["management:audit:read"])),
    responses(
        (status = 200, description = "The events, one JSON object per line", body = wire::AuditEvent, content_type = "application/x-ndjson")
    )
)]
pub(in crate::http) async fn export_audit_events(
    State(authority): State<Arc<Authority>>,
    ReadsAudit(caller): ReadsAudit,
    Extension(exchange): Extension<Arc<Exchange>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Query::read(query.as_deref(), &[])?;
    let events = authority.export_audit_events(&caller);
    streamed(JSON_LINES, exchange, events, |text, event| {
        push_json(text, &audit_export::to_wire(event));
    })
    .await
}

fn filter(query: &Query) -> Result<AuditFilter, ApiError> {
    let actions = Action::ALL.map(Action::as_str).join(", ");
    Ok(AuditFilter {
        service_account: query.service_account("serviceAccountId")?,
        action: query.take(
            "action",
            &format!("must be one of {actions}"),
            Action::parse,
        )?,
        actor: query.take(
            "actor",
            "must be the id of a service account, operator or unauthenticated",
            Actor::parse,
        )?,
        since: query.instant("since")?,
        until: query.instant("until")?,
    })
}
