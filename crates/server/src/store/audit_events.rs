//! Audit events: written at the end of their organization's chain, read from its beginning.

use std::collections::BTreeMap;

use super::{
    DatabaseError, Row, Store, StoreError,
    database::{Statement, Step},
    during,
};
use crate::domain::{AuditEvent, AuditFilter, ChainHead, ChainedEvent, OrganizationId};

/// The columns of an event, in the order in which [`event`] reads them.
macro_rules! event_columns {
    () => {
        "e.sequence, e.at, e.actor, e.action, e.target, e.request_id, e.address, e.detail, e.previous_hash"
    };
}

impl Store {
    /// Writes down what is no change: all of these events in this order, or none.
    pub async fn append_audit_events(&self, events: Vec<AuditEvent>) -> Result<(), StoreError> {
        let steps = events.into_iter().map(Step::Append).collect();
        self.write("writing audit events", steps).await.map(drop)
    }

    /// Up to `limit` events of `organization` that `filter` lets through, from the one behind number `after` on.
    pub async fn list_audit_events(
        &self,
        organization: OrganizationId,
        filter: &AuditFilter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<ChainedEvent>, StoreError> {
        const DOING: &str = "listing audit events";
        // Each parameter is compared before it is asked whether it is there: that tells PostgreSQL its type. An account
        // ends only its own tokens, so those events have it for their actor.
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
        let rows = self.read(DOING, select).await?;
        rows.into_iter()
            .map(|mut row| {
                let sequence = row.next()?;
                event(organization, sequence, &mut row)
            })
            .collect::<Result<_, _>>()
            .map_err(during(DOING))
    }

    /// The head of the chain of `organization`, and up to `limit` of its events from the one behind number `after` on, both
    /// as of one moment: fewer than `limit` are all that there are up to this head. `None`: there is no such organization.
    pub async fn read_chain(
        &self,
        organization: OrganizationId,
        after: i64,
        limit: usize,
    ) -> Result<Option<(ChainHead, Vec<ChainedEvent>)>, StoreError> {
        const DOING: &str = "reading an audit chain";
        // The limit stands inside, so that PostgreSQL goes along the key and sorts no more than it answers.
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
        let rows = self.read(DOING, select).await?;
        chain(organization, rows).map_err(during(DOING))
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

/// Reads the columns of [`event_columns`] behind the first.
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

/// The fields that changed, as one column: a JSON object in its one spelling.
fn detail_text(detail: &BTreeMap<String, String>) -> Result<String, DatabaseError> {
    serde_json::to_string(detail).map_err(DatabaseError::new)
}

/// Reads what [`detail_text`] writes. Anything else is shown as it is, under an empty name: no field is called so, which
/// makes it an altered event and not one that cannot be read.
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

/// Reads the head of the chain that `event` goes to, where nobody else writes.
pub(super) fn read_head(event: &AuditEvent) -> Statement {
    Statement::new(select_head!(), [event.organization_id.into()])
}

/// The same where others write, too: the row stays locked until the transaction ends, so that events line up. A key it
/// stays for rows that refer to it.
pub(super) fn lock_head(event: &AuditEvent) -> Statement {
    const LOCK: &str = concat!(select_head!(), " FOR NO KEY UPDATE");
    Statement::new(LOCK, [event.organization_id.into()])
}

/// The statements that append `event` behind the head in `row`, as it was read. Neither waits for the other.
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
