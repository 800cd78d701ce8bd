//! What all lists share: pages with sealed cursors, and streams of all items.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::{Stream, stream};

use super::{
    caller::Caller,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};

/// How many items a stream reads at once.
const STREAM_CHUNK: usize = 200;

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The items in the order of the list.
    pub items: Vec<T>,
    /// The cursor of the next page. `None`: this is the last page.
    pub next_cursor: Option<String>,
}

/// Why a page is not returned.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The server did not issue the cursor to this organization for this list.
    #[error("the cursor does not belong to this list")]
    InvalidCursor,
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(ListError::Unavailable);

/// A position in a list: the content of a cursor.
pub(super) trait Position: Sized + Send + 'static {
    /// The name of the list. Each list has a different name.
    const LIST: &'static str;
    /// The position before the first item.
    const START: Self;
    /// The items of the list.
    type Item: Send;

    /// The position after `item`.
    fn after(item: &Self::Item) -> Self;
    fn to_bytes(&self) -> Vec<u8>;
    /// Parses the output of [`Self::to_bytes`].
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Authority {
    /// The page of `limit` items at `cursor`. Without a cursor, it is the first page. `read` reads items after a position,
    /// up to a number.
    pub(super) async fn page<P: Position, R>(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
        limit: usize,
        read: impl FnOnce(P, usize) -> R,
    ) -> Result<Page<P::Item>, ListError>
    where
        R: Future<Output = Result<Vec<P::Item>, Unavailable>>,
    {
        let position = match cursor {
            None => P::START,
            Some(cursor) => self
                .open_cursor(caller, cursor)
                .ok_or(ListError::InvalidCursor)?,
        };
        // One more item shows whether there is a next page.
        let mut items = read(position, limit + 1).await?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = match items.last() {
            Some(last) if has_more => Some(self.seal_cursor(caller, &P::after(last))?),
            _ => None,
        };
        Ok(Page { items, next_cursor })
    }

    fn seal_cursor<P: Position>(
        &self,
        caller: &Caller,
        position: &P,
    ) -> Result<String, Unavailable> {
        let sealed = self.keys.data.cursors.seal_whole(
            self.random()?,
            &place::<P>(caller),
            &position.to_bytes(),
        );
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open_cursor<P: Position>(&self, caller: &Caller, cursor: &str) -> Option<P> {
        let mut sealed = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let message = self
            .keys
            .data
            .cursors
            .open_whole(&place::<P>(caller), &mut sealed)?;
        P::from_bytes(message)
    }
}

/// The place that a cursor is bound to: the organization and the list.
fn place<P: Position>(caller: &Caller) -> Vec<u8> {
    [caller.organization_id.as_bytes(), P::LIST.as_bytes()].concat()
}

/// All items of a list, in chunks and constant memory. `read` reads items after a position, up to a number.
pub(super) fn stream_all<P: Position, R>(
    read: impl Fn(P, usize) -> R + Send + 'static,
) -> impl Stream<Item = Result<Vec<P::Item>, Unavailable>> + Send + 'static
where
    R: Future<Output = Result<Vec<P::Item>, Unavailable>> + Send + 'static,
{
    stream::try_unfold(Some(P::START), move |position| {
        let reading = position.map(|position| read(position, STREAM_CHUNK));
        async move {
            let Some(reading) = reading else {
                return Ok(None);
            };
            let items = reading.await?;
            let next = items
                .last()
                .filter(|_| items.len() == STREAM_CHUNK)
                .map(P::after);
            Ok(Some((items, next)))
        }
    })
}
