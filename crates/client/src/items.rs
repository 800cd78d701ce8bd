//! Lists that are read page by page.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt as _, stream};

use crate::error::Error;

/// The items of a list. Pages are requested as the items are read. Implements [`Stream`]; for a simple loop use
/// [`try_next`](Self::try_next). After an error there are no further items.
#[must_use = "no page is requested before an item is read"]
pub struct Items<T>(Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>);

impl<T: Send + 'static> Items<T> {
    /// The items of all pages. `next` reads a page, given the state that the previous page returned.
    pub(crate) fn new<S, N, F>(first: S, mut next: N) -> Self
    where
        S: Send + 'static,
        N: FnMut(S) -> F + Send + 'static,
        F: Future<Output = Result<(Vec<T>, Option<S>), Error>> + Send + 'static,
    {
        let pages = stream::try_unfold(Some(first), move |state| {
            let page = state.map(&mut next);
            async move {
                match page {
                    Some(page) => page.await.map(Some),
                    None => Ok(None),
                }
            }
        });
        let items = pages.flat_map(|page| {
            let (items, error) = match page {
                Ok(items) => (items, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            stream::iter(items.into_iter().map(Ok).chain(error))
        });
        Self(Box::pin(items))
    }

    /// The next item. `None`: the list has ended.
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        self.0.next().await.transpose()
    }
}

impl<T> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}
