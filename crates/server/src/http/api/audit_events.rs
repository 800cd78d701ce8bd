//! `/api/v1/audit-events`, and the line of an export.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use prokura_wire as wire;
use serde_json::Value;

use super::{
    ApiError,
    answer::{JSON_LINES, json, push_json, streamed},
    bearer::ReadsAudit,
    query::{self, Query},
};
use crate::{
    authority::{Authority, Origin},
    domain::{Action, Actor, AuditFilter, ChainedEvent, OrganizationId},
};

/// List audit events, oldest first.
///
/// Always a page, and unless it is the last a `nextCursor`. Repeat the filters with the cursor.
#[utoipa::path(
    get,
    path = "/api/v1/audit-events",
    tag = "audit",
    security(("bearer" = ["management:audit:read"])),
    params(
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 200; 50 unless given", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before"),
        ("serviceAccountId" = Option<String>, Query, description = "Only events about this account: it is their target, or one of its tokens is", format = "uuid"),
        ("action" = Option<String>, Query, description = "Only events of this kind", example = "rotate_secret"),
        ("actor" = Option<String>, Query, description = "Only what this one did: the id of an account, operator, or unauthenticated"),
        ("since" = Option<String>, Query, description = "Only events from this instant on", format = "date-time"),
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
        items: page.items.iter().map(audit_event).collect(),
        next_cursor: page.next_cursor,
    };
    Ok(json(StatusCode::OK, &list))
}

/// Export the audit trail.
///
/// All events of the organization, one per line, oldest first: the whole chain of hashes. `prokura audit verify --file`
/// checks it.
#[utoipa::path(
    get,
    path = "/api/v1/audit-events/export",
    tag = "audit",
    security(("bearer" = ["management:audit:read"])),
    responses(
        (status = 200, description = "The events, an object per line", body = wire::AuditEvent, content_type = "application/x-ndjson")
    )
)]
pub(in crate::http) async fn export_audit_events(
    State(authority): State<Arc<Authority>>,
    ReadsAudit(caller): ReadsAudit,
    Extension(origin): Extension<Origin>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Query::read(query.as_deref(), &[])?;
    let events = authority.export_audit_events(&caller);
    streamed(JSON_LINES, origin, events, |text, event| {
        push_json(text, &audit_event(event));
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

fn audit_event(event: &ChainedEvent) -> wire::AuditEvent {
    wire::AuditEvent {
        organization_id: event.organization_id.to_string(),
        sequence: event.sequence,
        at: event.at.to_string(),
        actor: event.actor.clone(),
        action: event.action.clone(),
        target: event.target.clone(),
        request_id: event.request_id.clone(),
        address: event.address.clone(),
        changes: event.detail.clone(),
        previous_hash: hex(&event.previous_hash),
        hash: hex(&event.hash()),
    }
}

/// Reads one line of an export: the event, and the hash that it claims to have. `None`: it is no such line, or says more
/// than an event does.
pub fn read_exported_event(line: &str) -> Option<(ChainedEvent, Vec<u8>)> {
    let read = serde_json::from_str::<wire::AuditEvent>(line).ok()?;
    let event = ChainedEvent {
        organization_id: OrganizationId::parse(&read.organization_id)?,
        sequence: read.sequence,
        at: query::instant(&read.at)?,
        actor: read.actor,
        action: read.action,
        target: read.target,
        request_id: read.request_id,
        address: read.address,
        detail: read.changes,
        previous_hash: unhex(&read.previous_hash)?,
    };
    let claimed_hash = unhex(&read.hash)?;
    // Written again it is the same, but for the hash that it may not have: so nothing in it has gone unseen.
    let written = wire::AuditEvent {
        hash: read.hash,
        ..audit_event(&event)
    };
    let is_all = serde_json::to_value(written).ok()? == serde_json::from_str::<Value>(line).ok()?;
    is_all.then_some((event, claimed_hash))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .chars()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<Vec<_>>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::Timestamp;

    fn event() -> ChainedEvent {
        ChainedEvent {
            organization_id: OrganizationId::from_bytes([1; 16]),
            sequence: 3,
            at: Timestamp::from_millis(1_795_435_200_000),
            actor: "operator".to_owned(),
            action: "rotate_secret".to_owned(),
            target: "t".to_owned(),
            request_id: None,
            address: Some("::1".to_owned()),
            detail: BTreeMap::from([("name".to_owned(), "CI \"\u{1f600}\"\n".to_owned())]),
            previous_hash: vec![0xa5; 32],
        }
    }

    #[test]
    fn what_is_exported_can_be_read_again() {
        let line = serde_json::to_string(&audit_event(&event())).unwrap();
        assert!(!line.contains('\n'));
        let (read, claimed_hash) = read_exported_event(&line).unwrap();
        assert_eq!(read, event());
        assert_eq!(claimed_hash, event().hash());
    }

    #[test]
    fn a_line_that_says_more_or_less_is_not_read() {
        let line = serde_json::to_string(&audit_event(&event())).unwrap();
        for (this, that) in [
            ("{\"organizationId\"", "{\"note\":1,\"organizationId\""),
            ("\"requestId\":null,", ""),
            ("12:00:00.000Z", "12:00:00Z"),
            ("01010101-", "01010101"),
            ("a5a5", "A5a5"),
            ("a5a5", "a5a"),
            ("\"sequence\":3", "\"sequence\":\"3\""),
            ("\"sequence\":3", "\"sequence\":3,\"sequence\":4"),
        ] {
            let other = line.replacen(this, that, 1);
            assert_ne!(other, line);
            assert!(read_exported_event(&other).is_none(), "{other}");
        }
        assert!(read_exported_event("").is_none());
    }
}
