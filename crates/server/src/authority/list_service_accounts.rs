//! `list_service_accounts`: a page, or all of them as a stream.

use std::sync::Arc;

use futures_util::Stream;

use super::{
    Authority, Caller, ListError, Page, Unavailable,
    page::{Position, stream_all},
};
use crate::{
    domain::{OrganizationId, ServiceAccount, ServiceAccountId, Timestamp},
    store::ListPosition,
};

impl Authority {
    /// The page of `limit` accounts that begins at `cursor`, the first without one; oldest first.
    pub async fn list_service_accounts(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<ServiceAccount>, ListError> {
        let organization = caller.organization_id;
        self.page(caller, cursor, limit, |position, limit| {
            self.read_page(organization, position, limit)
        })
        .await
    }

    /// All accounts of the caller's organization, some at a time, in constant memory. Accounts that come or go meanwhile
    /// may or may not be among them; every other one is, exactly once.
    pub fn stream_service_accounts(
        self: Arc<Self>,
        caller: &Caller,
    ) -> impl Stream<Item = Result<Vec<ServiceAccount>, Unavailable>> + Send + 'static {
        let organization = caller.organization_id;
        stream_all(move |position, limit| {
            let authority = Arc::clone(&self);
            async move { authority.read_page(organization, position, limit).await }
        })
    }

    async fn read_page(
        &self,
        organization: OrganizationId,
        position: ListPosition,
        limit: usize,
    ) -> Result<Vec<ServiceAccount>, Unavailable> {
        let items = self
            .store
            .list_service_accounts(organization, position, limit)
            .await?;
        let items = items
            .into_iter()
            .map(|account| self.with_pending_use(account));
        Ok(items.collect())
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
