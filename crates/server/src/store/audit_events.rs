//! Audit events: appended to the hash chain of their organization, and read from its start.

use std::collections::BTreeMap;

use super::{
    database::{DatabaseError, Row, Statement, Step, Written},
    error::{StoreError, during},
    handle::Store,
};
use crate::domain::{AuditEvent, AuditFilter, ChainHead, ChainedEvent, OrganizationId};

/// The columns of an event, in the order in which [`event`] decodes them.
macro_rules! event_columns {
    () => {
        "e.sequence, e.at, e.actor, e.action, e.target, e.request_id, e.address, e.detail, e.previous_hash"
    };
}

impl Store {
    /// Appends events that belong to no change: all of them in this order, or none. Those of organizations that have been deleted are
    /// dropped.
    pub async fn append_audit_events(&self, mut events: Vec<AuditEvent>) -> Result<(), StoreError> {
        loop {
            let steps = events.iter().cloned().map(Step::Append).collect();
            match self.write("writing audit events", steps).await? {
                Written::Wholly => return Ok(()),
                Written::NotAtAll { refused_by } => {
                    let gone = events.get(refused_by).map(|event| event.organization_id);
                    events.retain(|event| Some(event.organization_id) != gone);
                }
            }
        }
    }

    /// Up to `limit` events of `organization` that match `filter`, in order, with sequence numbers above `after`.
    pub async fn list_audit_events(
        &self,
        organization: OrganizationId,
        filter: &AuditFilter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<ChainedEvent>, StoreError> {
        const OPERATION: &str = "listing audit events";
        // Each parameter is compared before it is tested for NULL: the comparison tells PostgreSQL its type. The target of
        // `revoke_token` is a token; its account is the actor, since accounts revoke only their own tokens.
        let select = Statement::new(
            concat!(
                "SELECT ",
                event_columns!(),
                " FROM audit_events e WHERE e.organization_id = $1 AND e.sequence > $2 \
                 AND (e.target = $3 OR (e.action = 'revoke_token' AND e.actor = $3) OR $3 IS NULL) \
                 AND (e.action = $4 OR $4 IS NULL) AND (e.actor = $5 OR $5 IS NULL) \
                 AND (e.at >= $6 OR $6 IS NULL) AND (e.at < $7 OR $7 IS NULL) \
                 ORDER BY e.sequence LIMIT $8"
            ),
            [
                organization.into(),
                after.into(),
                filter.service_account.map(|id| id.to_string()).into(),
                filter
                    .action
                    .map(|action| action.as_str().to_owned())
                    .into(),
                filter.actor.map(|actor| actor.to_string()).into(),
                filter.since.into(),
                filter.until.into(),
                i64::try_from(limit).unwrap_or(i64::MAX).into(),
            ],
        );
        let rows = self.read(OPERATION, select).await?;
        rows.into_iter()
            .map(|mut row| {
                let sequence = row.next()?;
                event(organization, sequence, &mut row)
            })
            .collect::<Result<_, _>>()
            .map_err(during(OPERATION))
    }

    /// The head of the chain of `organization`, and up to `limit` of its events with sequence numbers above `after`. Both are read
    /// in one snapshot, so fewer than `limit` events are all events up to this head. `None`: the organization does not exist.
    pub async fn read_chain(
        &self,
        organization: OrganizationId,
        after: i64,
        limit: usize,
    ) -> Result<Option<(ChainHead, Vec<ChainedEvent>)>, StoreError> {
        const OPERATION: &str = "reading an audit chain";
        // The limit is in the subquery, so that PostgreSQL reads along the primary key and sorts only the result.
        let select = Statement::new(
            concat!(
                "SELECT o.audit_sequence, o.audit_hash, ",
                event_columns!(),
                " FROM organizations o LEFT JOIN (SELECT * FROM audit_events \
                 WHERE organization_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3) e ON TRUE \
                 WHERE o.id = $1 ORDER BY e.sequence"
            ),
            [
                organization.into(),
                after.into(),
                i64::try_from(limit).unwrap_or(i64::MAX).into(),
            ],
        );
        let rows = self.read(OPERATION, select).await?;
        chain(organization, rows).map_err(during(OPERATION))
    }
}

fn chain(
    organization: OrganizationId,
    rows: Vec<Row>,
) -> Result<Option<(ChainHead, Vec<ChainedEvent>)>, DatabaseError> {
    let mut found = None;
    for mut row in rows {
        let head = head(&mut row)?;
        let (_, events) = found.get_or_insert((head, Vec::new()));
        if let Some(sequence) = row.next()? {
            events.push(event(organization, sequence, &mut row)?);
        }
    }
    Ok(found)
}

fn head(row: &mut Row) -> Result<ChainHead, DatabaseError> {
    Ok(ChainHead {
        sequence: row.next()?,
        hash: row.next()?,
    })
}

/// Decodes the columns of [`event_columns`] after the first.
fn event(
    organization_id: OrganizationId,
    sequence: i64,
    row: &mut Row,
) -> Result<ChainedEvent, DatabaseError> {
    Ok(ChainedEvent {
        organization_id,
        sequence,
        at: row.next()?,
        actor: row.next()?,
        action: row.next()?,
        target: row.next()?,
        request_id: row.next()?,
        address: row.next()?,
        detail: detail(row.next()?)?,
        previous_hash: row.next()?,
    })
}

/// The changed fields as one column: a JSON object in its canonical form.
fn detail_text(detail: &BTreeMap<String, String>) -> Result<String, DatabaseError> {
    serde_json::to_string(detail).map_err(DatabaseError::new)
}

/// Parses what [`detail_text`] writes. Any other text becomes the value of a field with an empty name, which no event has: the event
/// can be shown, and fails verification.
fn detail(text: String) -> Result<BTreeMap<String, String>, DatabaseError> {
    match serde_json::from_str(&text) {
        Ok(detail) if detail_text(&detail)? == text => Ok(detail),
        _ => Ok(BTreeMap::from([(String::new(), text)])),
    }
}

macro_rules! select_head {
    () => {
        "SELECT audit_sequence, audit_hash FROM organizations WHERE id = $1"
    };
}

/// Reads the head of the chain for `event`, on a database with one writer.
pub(super) fn read_head(event: &AuditEvent) -> Statement {
    Statement::new(select_head!(), [event.organization_id.into()])
}

/// Reads the head and locks its row until the transaction ends, so that concurrent writers append one after the other. The lock
/// does not block foreign keys that refer to the row.
pub(super) fn lock_head(event: &AuditEvent) -> Statement {
    const LOCK: &str = concat!(select_head!(), " FOR NO KEY UPDATE");
    Statement::new(LOCK, [event.organization_id.into()])
}

/// The statements that append `event` after the head in `row`. They do not depend on each other.
pub(super) fn append(event: &AuditEvent, mut row: Row) -> Result<[Statement; 2], DatabaseError> {
    let event = event.chained(head(&mut row)?);
    let hash = event.hash();
    Ok([
        Statement::new(
            "UPDATE organizations SET audit_sequence = $2, audit_hash = $3 WHERE id = $1",
            [
                event.organization_id.into(),
                event.sequence.into(),
                hash.into(),
            ],
        ),
        Statement::new(
            "INSERT INTO audit_events (organization_id, sequence, at, actor, action, target, request_id, address, \
             detail, previous_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            [
                event.organization_id.into(),
                event.sequence.into(),
                event.at.into(),
                event.actor.into(),
                event.action.into(),
                event.target.into(),
                event.request_id.into(),
                event.address.into(),
                detail_text(&event.detail)?.into(),
                event.previous_hash.into(),
            ],
        ),
    ])
}
