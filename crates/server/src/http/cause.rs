//! The error behind a 5xx, and how a chain of errors reads in the log.

use std::{error::Error, sync::Arc};

/// The error behind a 5xx. It travels in the extensions of the response to the log line; the client never sees it.
#[derive(Clone)]
pub(super) struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    pub(super) fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }

    /// The error and its sources on one line.
    pub(super) fn chain(&self) -> String {
        chain(&*self.0)
    }
}

/// An error and its sources on one line, separated by `: `.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        // A transparent error has the text of its source.
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the account")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Middle(#[from] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("connection closed")]
    struct Inner;

    #[test]
    fn a_chain_names_each_error_once() {
        let line = "cannot read the account: connection closed";
        assert_eq!(Cause::new(Outer(Middle(Inner))).chain(), line);
        assert_eq!(chain(&Middle(Inner)), "connection closed");
    }
}
