//! Usage that is counted and not written to the database yet, by account.
//!
//! It holds what no client record counts: the usage of clients that are not cached, and what was moved out of records.

use std::{
    array,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use hashbrown::{HashMap, hash_map::Entry};
use tokio::sync::{Notify, RwLock};

use crate::domain::{SecretUse, ServiceAccountId, Usage};

/// How many client records a flush takes usage from at most; the next flush goes on with further ones.
pub(super) const MAX_FLUSHED_RECORDS: usize = 1 << 15;

/// Many, so that a token request hardly ever waits for a flush, or for a count of another account.
const SHARDS: usize = 64;
/// The most accounts in a shard: 229,000 in all, some 40 MB. So many are reached only while the database takes no writes, or takes
/// them more slowly than accounts are used; usage of further accounts is then lost. A hash table of 4,096 slots holds this many
/// entries; one more would double it.
const MAX_SHARD_ACCOUNTS: usize = 4096 / 8 * 7;
/// With so many accounts in a shard, 57,000 in all, a flush is due: each takes twice the space of a cached client.
const DUE_SHARD_ACCOUNTS: usize = 1024 / 8 * 7;
/// What a flush has written stays here until the next flush, and must not make that one due by itself.
const _: () = assert!(MAX_FLUSHED_RECORDS + DUE_BLOCKED_EVICTIONS < SHARDS * DUE_SHARD_ACCOUNTS);

/// With so many evictions blocked by pinned records, a flush is due: looking up again the accounts that were not cached costs
/// several times as much as the flush.
const DUE_BLOCKED_EVICTIONS: usize = MAX_FLUSHED_RECORDS / 4;

pub(super) struct UnwrittenUsage {
    shards: [Mutex<Shard>; SHARDS],
    /// Held exclusively while a flush moves counts to the database, and shared by readers that add up memory and database, so that
    /// they see each count once.
    pub(super) flush_lock: RwLock<()>,
    /// How many evictions pinned records blocked since the last flush began.
    blocked_evictions: AtomicUsize,
    /// Notified when a flush is due.
    pub(super) is_due: Notify,
}

/// hashbrown for its hash function, which is fast: the keys are ids that the server made, so nobody can force collisions.
type Shard = HashMap<ServiceAccountId, Counted>;

#[derive(Default)]
struct Counted {
    unwritten: Usage,
    /// What the last flush wrote. A reader whose read of the database came before that flush finds it here. Instants may be seen
    /// twice.
    written: Vec<SecretUse>,
}

impl UnwrittenUsage {
    pub(super) fn new() -> Self {
        Self {
            shards: array::from_fn(|_| Mutex::default()),
            flush_lock: RwLock::new(()),
            blocked_evictions: AtomicUsize::new(0),
            is_due: Notify::new(),
        }
    }

    /// Adds usage that was counted in a record.
    pub(super) fn add(&self, account: ServiceAccountId, usage: &Usage) {
        if !usage.is_empty() {
            self.count(account, |unwritten| unwritten.add(usage));
        }
    }

    /// Counts an event of an account: `add` adds it to the account's unwritten usage.
    pub(super) fn count(&self, account: ServiceAccountId, add: impl FnOnce(&mut Usage)) {
        let mut shard = self.shard(account);
        let accounts = shard.len();
        let is_full = accounts >= MAX_SHARD_ACCOUNTS;
        match shard.entry(account) {
            Entry::Occupied(known) => add(&mut known.into_mut().unwritten),
            Entry::Vacant(_) if is_full => {}
            Entry::Vacant(new) => add(&mut new.insert(Counted::default()).unwritten),
        }
        if accounts < DUE_SHARD_ACCOUNTS && shard.len() == DUE_SHARD_ACCOUNTS {
            self.is_due.notify_one();
        }
    }

    /// Notes how many records could not be evicted because their usage is unwritten.
    pub(super) fn note_blocked_evictions(&self, records: usize) {
        let before = self.blocked_evictions.fetch_add(records, Ordering::Relaxed);
        if before < DUE_BLOCKED_EVICTIONS && before + records >= DUE_BLOCKED_EVICTIONS {
            self.is_due.notify_one();
        }
    }

    /// When the secrets of an account were used, as far as the database may not know it yet.
    pub(super) fn secret_uses(&self, account: ServiceAccountId) -> Vec<SecretUse> {
        let shard = self.shard(account);
        let Some(counted) = shard.get(&account) else {
            return Vec::new();
        };
        let mut usage = Usage {
            secrets: counted.unwritten.secrets.clone(),
            days: Vec::new(),
        };
        for &written in &counted.written {
            usage.used(written);
        }
        usage.secrets
    }

    /// The unwritten usage of an account.
    pub(super) fn of(&self, account: ServiceAccountId) -> Usage {
        let shard = self.shard(account);
        let counted = shard.get(&account);
        counted.map_or_else(Usage::default, |counted| counted.unwritten.clone())
    }

    /// The accounts with unwritten usage. Drops those that were not used since the last flush.
    pub(super) fn begin_flush(&self) -> Vec<ServiceAccountId> {
        self.blocked_evictions.store(0, Ordering::Relaxed);
        let mut accounts = Vec::new();
        for shard in &self.shards {
            lock(shard).retain(|&account, counted| {
                counted.written.clear();
                let is_unwritten = !counted.unwritten.is_empty();
                if is_unwritten {
                    accounts.push(account);
                }
                is_unwritten
            });
        }
        accounts
    }

    /// Marks usage, which was unwritten, as written.
    pub(super) fn mark_written(&self, account: ServiceAccountId, written: Usage) {
        if let Some(counted) = self.shard(account).get_mut(&account) {
            counted.unwritten.subtract(&written);
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::domain::{SecretId, Timestamp};

    const ACCOUNT: ServiceAccountId = ServiceAccountId::from_bytes([1; 16]);
    const SECRET: SecretId = SecretId::from_bytes([2; 16]);

    #[test]
    fn what_a_flush_wrote_stays_in_memory_until_the_next_flush() {
        let usage = UnwrittenUsage::new();
        let now = Timestamp::from_millis(1000);
        usage.count(ACCOUNT, |usage| usage.issued(SECRET, now));
        assert_eq!(usage.begin_flush(), [ACCOUNT]);
        usage.mark_written(ACCOUNT, usage.of(ACCOUNT));
        assert!(usage.of(ACCOUNT).is_empty());
        assert_eq!(usage.secret_uses(ACCOUNT)[0].last_used_at, now);
        assert!(usage.begin_flush().is_empty());
        assert!(usage.secret_uses(ACCOUNT).is_empty());
    }

    #[test]
    fn blocked_evictions_make_a_flush_due_once() {
        let usage = UnwrittenUsage::new();
        let is_due = || usage.is_due.notified().now_or_never().is_some();
        for _ in 0..2 {
            usage.note_blocked_evictions(DUE_BLOCKED_EVICTIONS - 1);
            assert!(!is_due());
            usage.note_blocked_evictions(9);
            assert!(is_due());
            usage.note_blocked_evictions(DUE_BLOCKED_EVICTIONS);
            assert!(!is_due());
            usage.begin_flush();
        }
    }

    #[test]
    fn a_full_map_counts_only_the_accounts_it_has() {
        let usage = UnwrittenUsage::new();
        let now = Timestamp::from_millis(0);
        let id = |number: u32| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            ServiceAccountId::from_bytes(bytes)
        };
        let refuse = |number| usage.count(id(number), |usage| usage.refused(now));
        for number in 0..DUE_SHARD_ACCOUNTS as u32 {
            assert!(usage.is_due.notified().now_or_never().is_none());
            refuse(number);
        }
        assert!(usage.is_due.notified().now_or_never().is_some());
        for number in 0..2 * MAX_SHARD_ACCOUNTS as u32 {
            refuse(number);
        }
        refuse(0);
        assert_eq!(usage.begin_flush().len(), MAX_SHARD_ACCOUNTS);
        assert_eq!(usage.of(id(0)).days[0].tokens_refused, 3);
    }
}
