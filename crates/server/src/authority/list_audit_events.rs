//! `list_audit_events` and `export_audit_events`: the audit trail of an organization, a page of it or the whole.

use std::sync::Arc;

use futures_util::Stream;

use super::{
    Authority, Caller, ListError, Page, Unavailable,
    page::{Position, stream_all},
};
use crate::domain::{AuditFilter, ChainedEvent, OrganizationId};

impl Authority {
    /// The page of `limit` events that begins at `cursor`, the first without one, of those that `filter` lets through;
    /// oldest first.
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

    /// The whole chain of the caller's organization, some events at a time, in constant memory; oldest first.
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
        Behind(sequence): Behind,
        limit: usize,
    ) -> Result<Vec<ChainedEvent>, Unavailable> {
        Ok(self
            .store
            .list_audit_events(organization, filter, sequence, limit)
            .await?)
    }
}

/// Behind the event of this number.
struct Behind(i64);

impl Position for Behind {
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
