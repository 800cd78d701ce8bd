//! The calls about the audit trail.

use bytes::{Buf as _, Bytes, BytesMut};
use prokura_wire::{AuditEvent, AuditEventList};
use reqwest::Method;

use crate::{
    Client, Error, Items,
    answer::Body,
    call::{Call, call},
};

/// How many events a page has unless another limit is given: as many as the server allows.
const PAGE: u32 = 200;

impl Client {
    /// Lists audit events, oldest first. Awaited, it answers a page; [`ListAuditEvents::stream`] gives all.
    pub fn list_audit_events(&self) -> ListAuditEvents {
        let call = Call::new(self, Method::GET, &["audit-events"]);
        ListAuditEvents { call }.limit(PAGE)
    }

    /// Exports the whole audit trail, which `prokura audit verify --file` checks. Its deadline is for the beginning of the
    /// answer; afterwards it may take as long as it takes, as long as something comes.
    pub fn export_audit_events(&self) -> ExportAuditEvents {
        let call = Call::new(self, Method::GET, &["audit-events", "export"]);
        ExportAuditEvents { call }
    }
}

call! {
    /// Lists audit events: [`Client::list_audit_events`]. Awaited, it answers a page, which says where the next one begins.
    /// Filters can be combined; an event must pass them all.
    ListAuditEvents -> AuditEventList, json
}

impl ListAuditEvents {
    /// All events, asked for page by page.
    pub fn stream(self) -> Items<AuditEvent> {
        Items::new(self.call, |call| async move {
            let page = Self { call: call.clone() }.await?;
            let next = page.next_cursor.map(|next| Self { call }.cursor(next).call);
            Ok((page.items, next))
        })
    }

    /// Only events about this service account: it is their target, or one of its tokens is.
    pub fn service_account_id(mut self, id: impl Into<String>) -> Self {
        self.call.parameter("serviceAccountId", id.into());
        self
    }

    /// Only events of this kind, which is the name of an operation, such as `rotate_secret`.
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.call.parameter("action", action.into());
        self
    }

    /// Only what this one did: the id of a service account, `operator` or `unauthenticated`.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.call.parameter("actor", actor.into());
        self
    }

    /// Only events from this instant of RFC 3339 on.
    pub fn since(mut self, instant: impl Into<String>) -> Self {
        self.call.parameter("since", instant.into());
        self
    }

    /// Only events before this instant of RFC 3339.
    pub fn until(mut self, instant: impl Into<String>) -> Self {
        self.call.parameter("until", instant.into());
        self
    }

    /// How many events a page has at most: 1 to 200, which is the default.
    pub fn limit(mut self, limit: u32) -> Self {
        self.call.parameter("limit", limit);
        self
    }

    /// Where the page begins: the `next_cursor` of the page before, which had the same filters.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.call.parameter("cursor", cursor.into());
        self
    }
}

call! {
    /// Exports the audit trail: [`Client::export_audit_events`].
    ExportAuditEvents -> AuditExport, export
}

/// An export that is being read: an event of JSON per line, oldest first.
#[derive(Debug)]
pub struct AuditExport(pub(crate) Body);

impl AuditExport {
    /// The next bytes, as the server wrote them. `None`: that was all of it. An export that broke off is an error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.0.chunk().await
    }

    /// The same as events.
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
        serde_json::from_slice(line)
            .map_err(|_| self.0.unintelligible("a line of it is no audit event"))
    }
}
