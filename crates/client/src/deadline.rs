//! When a call must end.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::error::{Error, without_query};

/// Longer than any program runs, and short enough to be added to an instant.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// When a call, or one attempt of it, must end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        Self {
            at: Instant::now() + timeout.min(FOREVER),
            timeout,
        }
    }

    /// The earlier of this deadline and one after `timeout`.
    pub(crate) fn or_after(self, timeout: Duration) -> Self {
        let other = Self::after(timeout);
        if other.at < self.at { other } else { self }
    }

    /// Whether there is time for another attempt after `pause`.
    pub(crate) fn allows(self, pause: Duration) -> bool {
        pause < self.at.saturating_duration_since(Instant::now())
    }

    /// Waits for `future`, which waits for a response from `url`.
    pub(crate) async fn bound<T>(
        self,
        url: &Url,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match timeout_at(self.at, future).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::TimedOut {
                url: without_query(url),
                after: self.timeout,
            }),
        }
    }
}
