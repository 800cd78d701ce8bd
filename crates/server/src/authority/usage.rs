//! Use, counted in memory and written in the background: issuing a token costs no write.
//!
//! What is counted stays in memory until it is written; what is asked meanwhile is answered from both.

use std::{
    array,
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, RwLock};

use super::{Authority, Unavailable};
use crate::domain::{
    DailyUsage, SecretId, SecretUse, ServiceAccount, ServiceAccountId, Timestamp, Usage,
};

/// So that a flush, and the counting of other accounts, hold up a token for next to no time.
const SHARDS: usize = 64;
/// How many accounts a shard counts at most: 256,000 together, some 50 MB. There are as many only where the store takes no
/// writes for long; the use of further accounts is then lost.
const SHARD_ACCOUNTS: usize = 4000;
/// With so many in a shard it is time to write.
const MANY_SHARD_ACCOUNTS: usize = SHARD_ACCOUNTS / 4 * 3;
/// How many accounts are written together, before whoever asks for counts gets his turn.
const BATCH: usize = 256;

/// The use that is not written yet.
pub(super) struct Recorder {
    shards: [Mutex<Shard>; SHARDS],
    /// Held alone while counts move from memory to the store, and shared by who adds up both, so that he sees each once.
    moving: RwLock<()>,
    /// Told when a shard has many accounts.
    filling: Notify,
}

type Shard = HashMap<ServiceAccountId, Counted>;

#[derive(Default)]
struct Counted {
    pending: Usage,
    /// What the last flush wrote: whoever had read the store just before still finds it here. Instants may be seen twice.
    written: Vec<SecretUse>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            shards: array::from_fn(|_| Mutex::default()),
            moving: RwLock::new(()),
            filling: Notify::new(),
        }
    }

    /// Counts a token issued with `secret`.
    pub(super) fn issued(&self, account: ServiceAccountId, secret: SecretId, now: Timestamp) {
        self.count(account, |usage| usage.issued(secret, now));
    }

    /// Counts a token refused to an account that exists.
    pub(super) fn refused(&self, account: ServiceAccountId, now: Timestamp) {
        self.count(account, |usage| usage.refused(now));
    }

    /// When the secrets of `account` were used, as far as this node knows and the store perhaps does not.
    pub(super) fn secret_uses(&self, account: ServiceAccountId) -> Vec<SecretUse> {
        let shard = self.shard(account);
        let Some(counted) = shard.get(&account) else {
            return Vec::new();
        };
        let mut usage = Usage {
            secrets: counted.pending.secrets.clone(),
            days: Vec::new(),
        };
        for &written in &counted.written {
            usage.used(written);
        }
        usage.secrets
    }

    fn count(&self, account: ServiceAccountId, add: impl FnOnce(&mut Usage)) {
        let mut shard = self.shard(account);
        let accounts = shard.len();
        let is_full = accounts >= SHARD_ACCOUNTS;
        match shard.entry(account) {
            Entry::Occupied(known) => add(&mut known.into_mut().pending),
            Entry::Vacant(_) if is_full => {}
            Entry::Vacant(new) => add(&mut new.insert(Counted::default()).pending),
        }
        if accounts < MANY_SHARD_ACCOUNTS && shard.len() == MANY_SHARD_ACCOUNTS {
            self.filling.notify_one();
        }
    }

    fn pending(&self, account: ServiceAccountId) -> Usage {
        let shard = self.shard(account);
        let counted = shard.get(&account);
        counted.map_or_else(Usage::default, |counted| counted.pending.clone())
    }

    /// The accounts with something to write, in the order of their ids. Those that were not used since the last flush are
    /// forgotten.
    fn begin_flush(&self) -> Vec<ServiceAccountId> {
        let mut accounts = Vec::new();
        for shard in &self.shards {
            lock(shard).retain(|&account, counted| {
                counted.written.clear();
                let is_pending = !counted.pending.is_empty();
                if is_pending {
                    accounts.push(account);
                }
                is_pending
            });
        }
        accounts.sort_unstable();
        accounts
    }

    fn settle(&self, account: ServiceAccountId, written: Usage) {
        if let Some(counted) = self.shard(account).get_mut(&account) {
            counted.pending.subtract(&written);
            counted.written = written.secrets;
        }
    }

    fn shard(&self, account: ServiceAccountId) -> MutexGuard<'_, Shard> {
        let [.., random] = *account.as_bytes();
        lock(&self.shards[usize::from(random) % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Authority {
    /// Resolves when the use of so many accounts is counted that it should be [written](Self::flush_usage) soon.
    pub async fn much_use_is_counted(&self) {
        self.usage.filling.notified().await;
    }

    /// Writes the use that was counted since the last time. To be called every few seconds, and when the last request is
    /// answered. What could not be written is kept for the next time; the error is the first of those met.
    ///
    /// Not to be dropped half-way, unless none follows: what is being written then would be written twice.
    pub async fn flush_usage(&self) -> Result<(), Unavailable> {
        let mut failed = Ok(());
        for batch in self.usage.begin_flush().chunks(BATCH) {
            let Err(error) = self.flush_accounts(batch).await else {
                continue;
            };
            // One batch may fail alone, by an account that somebody keeps locked; after a second the store is away.
            if failed.is_err() {
                break;
            }
            failed = Err(error);
        }
        failed
    }

    async fn flush_accounts(&self, accounts: &[ServiceAccountId]) -> Result<(), Unavailable> {
        let _moving = self.usage.moving.write().await;
        let uses: Vec<_> = accounts
            .iter()
            .map(|&account| (account, self.usage.pending(account)))
            // Another flush may have been faster.
            .filter(|(_, usage)| !usage.is_empty())
            .collect();
        if uses.is_empty() {
            return Ok(());
        }
        self.store.add_usage(&uses).await?;
        for (account, written) in uses {
            self.usage.settle(account, written);
        }
        Ok(())
    }

    /// `account` as it was read, with the use that is not written yet.
    pub(super) fn with_pending_use(&self, mut account: ServiceAccount) -> ServiceAccount {
        let uses = self.usage.secret_uses(account.id);
        let last = uses.iter().map(|used| used.last_used_at).max();
        account.last_used_at = account.last_used_at.max(last);
        account
    }

    /// Runs `read`, a read of counts, and answers it with the counts that are not in it yet.
    pub(super) async fn with_pending_days<T>(
        &self,
        account: ServiceAccountId,
        read: impl Future<Output = T>,
    ) -> (T, Vec<DailyUsage>) {
        let _still = self.usage.moving.read().await;
        (read.await, self.usage.pending(account).days)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const ACCOUNT: ServiceAccountId = ServiceAccountId::from_bytes([1; 16]);
    const SECRET: SecretId = SecretId::from_bytes([2; 16]);

    #[test]
    fn what_a_flush_wrote_is_known_until_the_next() {
        let recorder = Recorder::new();
        let now = Timestamp::from_millis(1000);
        recorder.issued(ACCOUNT, SECRET, now);
        assert_eq!(recorder.begin_flush(), [ACCOUNT]);
        recorder.settle(ACCOUNT, recorder.pending(ACCOUNT));
        assert!(recorder.pending(ACCOUNT).is_empty());
        assert_eq!(recorder.secret_uses(ACCOUNT)[0].last_used_at, now);
        assert!(recorder.begin_flush().is_empty());
        assert!(recorder.secret_uses(ACCOUNT).is_empty());
    }

    #[test]
    fn memory_is_bounded_and_whoever_is_in_it_is_counted_on() {
        let recorder = Recorder::new();
        let now = Timestamp::from_millis(0);
        let id = |number: u32| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            ServiceAccountId::from_bytes(bytes)
        };
        for number in 0..MANY_SHARD_ACCOUNTS as u32 {
            assert!(recorder.filling.notified().now_or_never().is_none());
            recorder.refused(id(number), now);
        }
        assert!(recorder.filling.notified().now_or_never().is_some());
        for number in 0..2 * SHARD_ACCOUNTS as u32 {
            recorder.refused(id(number), now);
        }
        recorder.refused(id(0), now);
        assert_eq!(recorder.begin_flush().len(), SHARD_ACCOUNTS);
        assert_eq!(recorder.pending(id(0)).days[0].tokens_refused, 3);
    }
}
