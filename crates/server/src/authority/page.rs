//! What lists have in common: pages with sealed cursors, and the whole as a stream.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::{Stream, stream};

use super::{Authority, Caller, Unavailable};

/// How many items are in memory at once while all are streamed.
const STREAM_CHUNK: usize = 200;

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins. `None`: this is the last.
    pub next_cursor: Option<String>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A cursor that we did not give to this organization for this list.
    #[error("the cursor is not one that this server gave for this list")]
    InvalidCursor,
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A place in a list: what its cursors hold.
pub(super) trait Position: Sized + Send + 'static {
    /// Which list; no two have the same name.
    const LIST: &'static str;
    /// Before the first item.
    const START: Self;
    /// What the list is of.
    type Item: Send;

    /// Right behind `item`.
    fn after(item: &Self::Item) -> Self;
    fn to_bytes(&self) -> Vec<u8>;
    /// Reads what [`Self::to_bytes`] wrote.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Authority {
    /// The page of `limit` items that begins at `cursor`, the first without one. `read` reads up to so many items behind a
    /// position.
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
        // One more than asked for shows whether there is a next page.
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
        let sealed =
            self.keys
                .cursors
                .seal_whole(self.random()?, &place::<P>(caller), &position.to_bytes());
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open_cursor<P: Position>(&self, caller: &Caller, cursor: &str) -> Option<P> {
        let mut sealed = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let message = self
            .keys
            .cursors
            .open_whole(&place::<P>(caller), &mut sealed)?;
        P::from_bytes(message)
    }
}

/// What a cursor is bound to: the organization and the list.
fn place<P: Position>(caller: &Caller) -> Vec<u8> {
    [caller.organization_id.as_bytes(), P::LIST.as_bytes()].concat()
}

/// A whole list, some items at a time, in constant memory. `read` reads up to so many items behind a position.
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
