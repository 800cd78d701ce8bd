//! `list_service_accounts`: a page of an organization's accounts, or all of them as a stream.

use std::sync::Arc;

use futures_util::Stream;

use super::{
    caller::Caller,
    page::{ListError, Page, Position, stream_all},
    state::Authority,
    unavailable::Unavailable,
};
use crate::{
    domain::{AccountFilter, OrganizationId, ServiceAccount, ServiceAccountId, Timestamp},
    store::ListPosition,
};

/// How many accounts a filtered list reads at once, at least.
const FILTERED_CHUNK: usize = 200;

impl Authority {
    /// The page of `limit` accounts at `cursor` that match `filter`, oldest first. Without a cursor, it is the first page.
    pub async fn list_service_accounts(
        &self,
        caller: &Caller,
        filter: &AccountFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<ServiceAccount>, ListError> {
        let organization = caller.organization_id;
        self.page(caller, cursor, limit, |position, limit| {
            self.read_page(organization, filter, position, limit)
        })
        .await
    }

    /// All accounts of the caller's organization that match `filter`, in chunks and constant memory. An account that is
    /// created or deleted meanwhile may be missing. Every other account is included exactly once.
    pub fn stream_service_accounts(
        self: Arc<Self>,
        caller: &Caller,
        filter: AccountFilter,
    ) -> impl Stream<Item = Result<Vec<ServiceAccount>, Unavailable>> + Send + 'static {
        let organization = caller.organization_id;
        let filter = Arc::new(filter);
        stream_all(move |position, limit| {
            let (authority, filter) = (Arc::clone(&self), Arc::clone(&filter));
            async move {
                authority
                    .read_page(organization, &filter, position, limit)
                    .await
            }
        })
    }

    /// Up to `limit` accounts after `position`. Fewer accounts: there are no more.
    async fn read_page(
        &self,
        organization: OrganizationId,
        filter: &AccountFilter,
        mut position: ListPosition,
        limit: usize,
    ) -> Result<Vec<ServiceAccount>, Unavailable> {
        let now = self.clock.now()?;
        let chunk = if filter.is_empty() {
            limit
        } else {
            limit.max(FILTERED_CHUNK)
        };
        let mut page = Vec::new();
        loop {
            let read = self
                .store
                .list_service_accounts(organization, filter, position, chunk, now)
                .await?;
            let is_last = read.len() < chunk;
            position = read.last().map_or(position, ListPosition::after);
            let found = read
                .into_iter()
                .filter(|account| filter.matches(account, now));
            page.extend(found.take(limit - page.len()));
            if is_last || page.len() == limit {
                return Ok(page);
            }
        }
    }
}

impl Position for ListPosition {
    const LIST: &'static str = "service accounts";
    const START: Self = Self::START;
    type Item = ServiceAccount;

    fn after(account: &ServiceAccount) -> Self {
        Self::after(account)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let created_at = self.created_at.as_millis().to_be_bytes();
        [&created_at[..], self.id.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (created_at, id) = bytes.split_first_chunk()?;
        Some(Self {
            created_at: Timestamp::from_millis(i64::from_be_bytes(*created_at)),
            id: ServiceAccountId::from_bytes(id.try_into().ok()?),
        })
    }
}
