//! Lists, read page by page.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt as _, stream};

use crate::Error;

/// The items of a list, asked for page by page as they are taken. It is a [`Stream`]; [`try_next`](Self::try_next) is for
/// those who want no more than a loop. After an error there are no further items.
#[must_use = "nothing is asked for before an item is taken"]
pub struct Items<T>(Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>);

impl<T: Send + 'static> Items<T> {
    /// The items of the pages that `next` gets, which is asked with the state that the page before left.
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

    /// The next item. `None`: there are no more.
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
