//! Use that is counted and not written yet.
//!
//! What is counted stays in memory until it is written; what is asked meanwhile is answered from both.

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

/// So that a flush, and the counting of other accounts, hold up a token for next to no time.
const SHARDS: usize = 64;
/// How many accounts a shard counts at most: 229,000 together, some 40 MB. There are as many only where the store takes no
/// writes for long, or not as fast as accounts are used; the use of further ones is then lost. It is what a table of 4,096
/// places holds; with one more it would have twice as many.
const SHARD_ACCOUNTS: usize = 4096 / 8 * 7;
/// With so many in a shard, 57,000 together, it is time to write: each takes twice the room of a remembered client.
const MANY_SHARD_ACCOUNTS: usize = 1024 / 8 * 7;
/// What a flush has written stays here until the next, and must not by itself ask for that one.
const _: () = assert!(super::usage::ROUND + super::usage::ROUND / 4 < SHARDS * MANY_SHARD_ACCOUNTS);

/// It is also time when so many clients stayed remembered only because their use is not written: to look up the accounts that
/// could have had their room costs several times what the writing does.
const MANY_IN_THE_WAY: usize = super::usage::ROUND / 4;

pub(super) struct PendingUsage {
    shards: [Mutex<Shard>; SHARDS],
    /// Held alone while counts move from memory to the database, and shared by who adds up both, so that he sees each once.
    pub(super) moving: RwLock<()>,
    /// How many clients stayed remembered only because of use, since the last flush began.
    in_the_way: AtomicUsize,
    /// Told when it is time to write.
    pub(super) is_due: Notify,
}

/// Its hash is a fast one: who counts here has an id that the server made.
type Shard = HashMap<ServiceAccountId, Counted>;

#[derive(Default)]
struct Counted {
    pending: Usage,
    /// What the last flush wrote: whoever had read the database just before still finds it here. Instants may be seen twice.
    written: Vec<SecretUse>,
}

impl PendingUsage {
    pub(super) fn new() -> Self {
        Self {
            shards: array::from_fn(|_| Mutex::default()),
            moving: RwLock::new(()),
            in_the_way: AtomicUsize::new(0),
            is_due: Notify::new(),
        }
    }

    /// Adds use that was counted elsewhere.
    pub(super) fn add(&self, account: ServiceAccountId, usage: &Usage) {
        if !usage.is_empty() {
            self.count(account, |pending| pending.add(usage));
        }
    }

    /// Counts something of the use of `account`.
    pub(super) fn count(&self, account: ServiceAccountId, add: impl FnOnce(&mut Usage)) {
        let mut shard = self.shard(account);
        let accounts = shard.len();
        let is_full = accounts >= SHARD_ACCOUNTS;
        match shard.entry(account) {
            Entry::Occupied(known) => add(&mut known.into_mut().pending),
            Entry::Vacant(_) if is_full => {}
            Entry::Vacant(new) => add(&mut new.insert(Counted::default()).pending),
        }
        if accounts < MANY_SHARD_ACCOUNTS && shard.len() == MANY_SHARD_ACCOUNTS {
            self.is_due.notify_one();
        }
    }

    /// Notes that so many clients stay remembered only because their use is not written.
    pub(super) fn keeps_remembered(&self, clients: usize) {
        let before = self.in_the_way.fetch_add(clients, Ordering::Relaxed);
        if before < MANY_IN_THE_WAY && before + clients >= MANY_IN_THE_WAY {
            self.is_due.notify_one();
        }
    }

    /// When the secrets of `account` were used, as far as this node knows and the database perhaps does not.
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

    /// The use of `account` that is not written.
    pub(super) fn of(&self, account: ServiceAccountId) -> Usage {
        let shard = self.shard(account);
        let counted = shard.get(&account);
        counted.map_or_else(Usage::default, |counted| counted.pending.clone())
    }

    /// The accounts with something to write. Those that were not used since the last flush are forgotten.
    pub(super) fn begin_flush(&self) -> Vec<ServiceAccountId> {
        self.in_the_way.store(0, Ordering::Relaxed);
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
        accounts
    }

    /// Notes that this part of what was pending is written.
    pub(super) fn settle(&self, account: ServiceAccountId, written: Usage) {
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::domain::{SecretId, Timestamp};

    const ACCOUNT: ServiceAccountId = ServiceAccountId::from_bytes([1; 16]);
    const SECRET: SecretId = SecretId::from_bytes([2; 16]);

    #[test]
    fn what_a_flush_wrote_is_known_until_the_next() {
        let usage = PendingUsage::new();
        let now = Timestamp::from_millis(1000);
        usage.count(ACCOUNT, |usage| usage.issued(SECRET, now));
        assert_eq!(usage.begin_flush(), [ACCOUNT]);
        usage.settle(ACCOUNT, usage.of(ACCOUNT));
        assert!(usage.of(ACCOUNT).is_empty());
        assert_eq!(usage.secret_uses(ACCOUNT)[0].last_used_at, now);
        assert!(usage.begin_flush().is_empty());
        assert!(usage.secret_uses(ACCOUNT).is_empty());
    }

    #[test]
    fn use_that_keeps_others_from_being_remembered_is_to_be_written() {
        let usage = PendingUsage::new();
        let is_due = || usage.is_due.notified().now_or_never().is_some();
        for _ in 0..2 {
            usage.keeps_remembered(MANY_IN_THE_WAY - 1);
            assert!(!is_due());
            usage.keeps_remembered(9);
            assert!(is_due());
            // Once is enough until it is written.
            usage.keeps_remembered(MANY_IN_THE_WAY);
            assert!(!is_due());
            usage.begin_flush();
        }
    }

    #[test]
    fn memory_is_bounded_and_whoever_is_in_it_is_counted_on() {
        let usage = PendingUsage::new();
        let now = Timestamp::from_millis(0);
        let id = |number: u32| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            ServiceAccountId::from_bytes(bytes)
        };
        let refuse = |number| usage.count(id(number), |usage| usage.refused(now));
        for number in 0..MANY_SHARD_ACCOUNTS as u32 {
            assert!(usage.is_due.notified().now_or_never().is_none());
            refuse(number);
        }
        assert!(usage.is_due.notified().now_or_never().is_some());
        for number in 0..2 * SHARD_ACCOUNTS as u32 {
            refuse(number);
        }
        refuse(0);
        assert_eq!(usage.begin_flush().len(), SHARD_ACCOUNTS);
        assert_eq!(usage.of(id(0)).days[0].tokens_refused, 3);
    }
}
