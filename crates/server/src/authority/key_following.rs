//! How a node follows the changes of the signing keys that other nodes make.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::unavailable::Unavailable;
use crate::{domain::Timestamp, store::StoreError};

/// What a node knows about how current its signing keys are.
pub(super) struct KeyFollowing {
    /// Held while the keys are loaded, so that older keys never replace newer ones.
    pub(super) loading: Mutex<()>,
    /// How many reads of the version have begun.
    reads: AtomicU64,
    last_read: Mutex<VersionRead>,
    /// When the keys were last known to be current, in milliseconds.
    confirmed_at: AtomicI64,
}

/// A read of the version of the keys.
struct VersionRead {
    /// The count of this read.
    number: u64,
    /// `None`: it failed.
    version: Option<i64>,
}

impl KeyFollowing {
    /// For keys that are current at `now`.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            loading: Mutex::default(),
            reads: AtomicU64::new(0),
            last_read: Mutex::new(VersionRead {
                number: 0,
                version: None,
            }),
            confirmed_at: AtomicI64::new(now.as_millis()),
        }
    }

    /// The version that `read` reads, after this call began. Concurrent calls share a read, so strangers cannot cause more than one at
    /// a time.
    pub(super) async fn version(
        &self,
        read: impl Future<Output = Result<i64, StoreError>>,
    ) -> Result<i64, Unavailable> {
        let begun_before = self.reads.load(Ordering::Acquire);
        let mut last = self.last_read.lock().await;
        if last.number > begun_before {
            return last.version.ok_or(Unavailable::KeysVersion);
        }
        last.number = self.reads.fetch_add(1, Ordering::AcqRel) + 1;
        last.version = None;
        let version = read.await?;
        last.version = Some(version);
        Ok(version)
    }

    /// Notes that the keys were current at `now`.
    pub(super) fn confirm(&self, now: Timestamp) {
        self.confirmed_at.store(now.as_millis(), Ordering::Relaxed);
    }

    /// Whether the keys were current within the last `seconds`.
    pub(super) fn was_confirmed_within(&self, seconds: u32, now: Timestamp) -> bool {
        let confirmed_at = Timestamp::from_millis(self.confirmed_at.load(Ordering::Relaxed));
        now < confirmed_at.plus_seconds(seconds)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::{FutureExt as _, future::join_all};

    use super::*;

    #[test]
    fn calls_at_the_same_time_share_a_read_that_began_after_them() {
        let following = KeyFollowing::new(Timestamp::from_millis(0));
        let reads = Cell::new(0);
        let read = || async {
            reads.set(reads.get() + 1);
            tokio::task::yield_now().await;
            Ok(reads.get())
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let calls = (0..50).map(|_| following.version(read()));
        let versions = runtime.block_on(join_all(calls));
        let versions: Vec<_> = versions.into_iter().map(Result::unwrap).collect();
        // The others arrived after the first read began.
        assert_eq!(versions[0], 1);
        assert!(versions[1..].iter().all(|version| *version == 2));
        assert_eq!(reads.get(), 2);
    }

    #[test]
    fn a_read_that_was_cancelled_or_failed_is_no_answer_to_later_calls() {
        let following = KeyFollowing::new(Timestamp::from_millis(0));
        let cancelled = following.version(std::future::pending());
        assert!(cancelled.now_or_never().is_none());
        let later = following.version(std::future::ready(Ok(7)));
        assert_eq!(later.now_or_never().unwrap().unwrap(), 7);
    }
}
