//! `list_service_accounts`: a page, or all of them as a stream.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::{Stream, stream};

use super::{Authority, Caller, Unavailable};
use crate::{
    domain::{OrganizationId, ServiceAccount, ServiceAccountId, Timestamp},
    store::ListPosition,
};

/// How many accounts are in memory at once while all are streamed.
const STREAM_CHUNK: usize = 200;

/// One page of the list.
#[derive(Debug)]
pub struct Page {
    /// The accounts, oldest first.
    pub items: Vec<ServiceAccount>,
    /// Where the next page begins. `None`: this is the last.
    pub next_cursor: Option<String>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ListServiceAccountsError {
    /// A cursor that we did not give to this organization.
    #[error("the cursor is not one that this server gave for this list")]
    InvalidCursor,
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Authority {
    /// The page of `limit` accounts that begins at `cursor`, the first without one.
    pub async fn list_service_accounts(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page, ListServiceAccountsError> {
        let position = match cursor {
            None => ListPosition::START,
            Some(cursor) => self
                .open_cursor(caller, cursor)
                .ok_or(ListServiceAccountsError::InvalidCursor)?,
        };
        // One more than asked for shows whether there is a next page.
        let mut items = self
            .read_page(caller.organization_id, position, limit + 1)
            .await?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = match items.last() {
            Some(last) if has_more => Some(self.seal_cursor(caller, ListPosition::after(last))?),
            _ => None,
        };
        Ok(Page { items, next_cursor })
    }

    /// All accounts of the caller's organization, some at a time, in constant memory. Accounts that come or go meanwhile
    /// may or may not be among them; every other one is, exactly once.
    pub fn stream_service_accounts(
        self: Arc<Self>,
        caller: &Caller,
    ) -> impl Stream<Item = Result<Vec<ServiceAccount>, Unavailable>> + Send + 'static {
        let organization = caller.organization_id;
        stream::try_unfold(Some(ListPosition::START), move |position| {
            let authority = Arc::clone(&self);
            async move {
                let Some(position) = position else {
                    return Ok(None);
                };
                let items = authority
                    .read_page(organization, position, STREAM_CHUNK)
                    .await?;
                let next = items
                    .last()
                    .filter(|_| items.len() == STREAM_CHUNK)
                    .map(ListPosition::after);
                Ok(Some((items, next)))
            }
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

    fn seal_cursor(&self, caller: &Caller, position: ListPosition) -> Result<String, Unavailable> {
        let mut message = [0; 24];
        message[..8].copy_from_slice(&position.created_at.as_millis().to_be_bytes());
        message[8..].copy_from_slice(position.id.as_bytes());
        let place = caller.organization_id.as_bytes();
        let sealed = self
            .keys
            .cursors
            .seal_whole(self.random()?, place, &message);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open_cursor(&self, caller: &Caller, cursor: &str) -> Option<ListPosition> {
        let mut sealed = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let place = caller.organization_id.as_bytes();
        let message = self.keys.cursors.open_whole(place, &mut sealed)?;
        let (created_at, id) = message.split_first_chunk()?;
        Some(ListPosition {
            created_at: Timestamp::from_millis(i64::from_be_bytes(*created_at)),
            id: ServiceAccountId::from_bytes(id.try_into().ok()?),
        })
    }
}
