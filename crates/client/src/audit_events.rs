//! The calls of the audit trail.

use bytes::{Buf as _, Bytes, BytesMut};
use prokura_wire::{AuditEvent, AuditEventList};
use reqwest::Method;

use crate::{
    answer::Body,
    call::{Call, call},
    client::Client,
    error::Error,
    items::Items,
};

/// The default size of a page: the maximum that the server allows.
const PAGE: u32 = 200;

impl Client {
    /// Lists audit events, oldest first. Await the call to get a page; [`ListAuditEvents::stream`] returns all events.
    /// Requires the scope `management:audit:read`.
    pub fn list_audit_events(&self) -> ListAuditEvents {
        let call = Call::new(self, Method::GET, &["audit-events"]);
        ListAuditEvents { call }.limit(PAGE)
    }

    /// Exports the whole audit trail, oldest first, for `prokura audit verify --file`. The timeout applies to the beginning
    /// of the response. After that, the export times out only if nothing arrives for the
    /// [`attempt_timeout`](crate::HttpOptions::attempt_timeout). Requires the scope `management:audit:read`.
    pub fn export_audit_events(&self) -> ExportAuditEvents {
        let call = Call::new(self, Method::GET, &["audit-events", "export"]);
        ExportAuditEvents { call }
    }
}

call! {
    /// Lists audit events: [`Client::list_audit_events`]. Await the call to get a page. An event must pass all filters.
    ListAuditEvents -> AuditEventList, json
}

impl ListAuditEvents {
    /// Streams all events and requests the pages as needed.
    pub fn stream(self) -> Items<AuditEvent> {
        Items::new(self.call, |call| async move {
            let page = Self { call: call.clone() }.await?;
            let next = page.next_cursor.map(|next| Self { call }.cursor(next).call);
            Ok((page.items, next))
        })
    }

    /// Only events about this service account: it or one of its tokens is the target.
    pub fn service_account_id(mut self, id: impl Into<String>) -> Self {
        self.call.parameter("serviceAccountId", id.into());
        self
    }

    /// Only events of this operation, such as `rotate_secret`.
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.call.parameter("action", action.into());
        self
    }

    /// Only events of this actor: the ID of a service account, `operator` or `unauthenticated`.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.call.parameter("actor", actor.into());
        self
    }

    /// Only events at or after this instant (RFC 3339).
    pub fn since(mut self, instant: impl Into<String>) -> Self {
        self.call.parameter("since", instant.into());
        self
    }

    /// Only events before this instant (RFC 3339).
    pub fn until(mut self, instant: impl Into<String>) -> Self {
        self.call.parameter("until", instant.into());
        self
    }

    /// Sets the maximum number of events in a page: 1 to 200. Default: 200.
    pub fn limit(mut self, limit: u32) -> Self {
        self.call.parameter("limit", limit);
        self
    }

    /// Sets where the page begins: the `next_cursor` of the previous page, which must have had the same filters.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.call.parameter("cursor", cursor.into());
        self
    }
}

call! {
    /// Exports the audit trail: [`Client::export_audit_events`].
    ExportAuditEvents -> AuditExport, stream
}

/// An export of the audit trail: one event per line as JSON, oldest first. It is streamed and not kept in memory.
#[derive(Debug)]
pub struct AuditExport(Body);

impl From<Body> for AuditExport {
    fn from(body: Body) -> Self {
        Self(body)
    }
}

impl AuditExport {
    /// The next bytes, unchanged. `None`: the export is complete. An export that breaks off is an error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.0.chunk().await
    }

    /// Parses the export as events.
    pub fn events(self) -> Items<AuditEvent> {
        Items::new(
            (self, BytesMut::new()),
            |(mut export, mut rest)| async move {
                let Some(bytes) = export.chunk().await? else {
                    let last = if rest.is_empty() {
                        None
                    } else {
                        Some(export.event(&rest)?)
                    };
                    return Ok((last.into_iter().collect(), None));
                };
                rest.extend_from_slice(&bytes);
                let mut events = Vec::new();
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let line = rest.split_to(end);
                    rest.advance(1);
                    events.push(export.event(&line)?);
                }
                Ok((events, Some((export, rest))))
            },
        )
    }

    fn event(&self, line: &[u8]) -> Result<AuditEvent, Error> {
        serde_json::from_slice(line).map_err(|_| self.0.unexpected("a line is not an audit event"))
    }
}
