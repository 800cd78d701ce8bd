//! `list_audit_events` and `export_audit_events`: a page of an organization's audit trail, or all of it.

use std::sync::Arc;

use futures_util::Stream;

use super::{
    caller::Caller,
    page::{ListError, Page, Position, stream_all},
    state::Authority,
    unavailable::Unavailable,
};
use crate::domain::{AuditFilter, ChainedEvent, OrganizationId};

impl Authority {
    /// The page of `limit` events at `cursor` that match `filter`, oldest first. Without a cursor, it is the first page.
    pub async fn list_audit_events(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<ChainedEvent>, ListError> {
        let organization = caller.organization_id;
        self.page(caller, cursor, limit, |position, limit| {
            self.read_events(organization, filter, position, limit)
        })
        .await
    }

    /// The whole chain of the caller's organization, oldest first, in chunks and constant memory.
    pub fn export_audit_events(
        self: Arc<Self>,
        caller: &Caller,
    ) -> impl Stream<Item = Result<Vec<ChainedEvent>, Unavailable>> + Send + 'static {
        let organization = caller.organization_id;
        stream_all(move |position, limit| {
            let authority = Arc::clone(&self);
            async move {
                let whole = AuditFilter::default();
                authority
                    .read_events(organization, &whole, position, limit)
                    .await
            }
        })
    }

    async fn read_events(
        &self,
        organization: OrganizationId,
        filter: &AuditFilter,
        AfterEvent(sequence): AfterEvent,
        limit: usize,
    ) -> Result<Vec<ChainedEvent>, Unavailable> {
        Ok(self
            .store
            .list_audit_events(organization, filter, sequence, limit)
            .await?)
    }
}

/// The position after the event with this number.
struct AfterEvent(i64);

impl Position for AfterEvent {
    const LIST: &'static str = "audit events";
    const START: Self = Self(i64::MIN);
    type Item = ChainedEvent;

    fn after(event: &ChainedEvent) -> Self {
        Self(event.sequence)
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_be_bytes().into()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(i64::from_be_bytes).map(Self)
    }
}
