//! The cache: shards behind locks.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    log::{HIT, SEGMENT_BYTES},
    policy::Policy,
    shard::{Shard, hash},
};

/// Many, so that threads seldom wait for each other and a walk over all records blocks none of them for long.
const SHARDS: usize = 64;

/// A cache of byte records. Keys have `KEY` bytes, of which the last 8 are random.
pub(crate) struct Cache<const KEY: usize, P> {
    shards: Vec<Mutex<Shard<KEY>>>,
    /// The limit of each shard.
    max_segments: usize,
    policy: P,
}

/// The state of a key's shard at one moment; see [`Cache::insert_if_current`].
#[derive(Clone, Copy)]
pub(crate) struct Generation(u64);

impl<const KEY: usize, P: Policy<KEY>> Cache<KEY, P> {
    /// A cache of at most `capacity_bytes` of records. The index takes 5 to 11 bytes per record in addition.
    pub(crate) fn new(capacity_bytes: usize, policy: P) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            max_segments: (capacity_bytes / SHARDS / SEGMENT_BYTES).max(2),
            policy,
        }
    }

    /// Calls `read` with the record, which it may change in place, and marks the record as hit. `None`: a miss.
    pub(crate) fn get<T>(&self, key: &[u8; KEY], read: impl FnOnce(&mut [u8]) -> T) -> Option<T> {
        let (hash, mut shard) = self.shard(key);
        shard.get(hash, key, HIT).map(read)
    }

    /// As [`Self::get`], without marking the record as hit.
    pub(crate) fn peek<T>(&self, key: &[u8; KEY], read: impl FnOnce(&mut [u8]) -> T) -> Option<T> {
        let (hash, mut shard) = self.shard(key);
        shard.get(hash, key, 0).map(read)
    }

    /// Inserts or replaces a record. Returns how many records could not be evicted only because they are pinned.
    pub(crate) fn insert(&self, key: &[u8; KEY], record: &[u8]) -> usize {
        let (hash, mut shard) = self.shard(key);
        shard.insert(hash, key, record, self.max_segments, &self.policy)
    }

    /// The present generation, to be taken before the source of a record is read.
    pub(crate) fn generation(&self, key: &[u8; KEY]) -> Generation {
        Generation(self.shard(key).1.generation)
    }

    /// As [`Self::insert`], unless something was removed since `generation` was taken: then the record may have been read before
    /// the change that caused the removal, and is stale.
    pub(crate) fn insert_if_current(
        &self,
        key: &[u8; KEY],
        record: &[u8],
        generation: Generation,
    ) -> usize {
        let (hash, mut shard) = self.shard(key);
        if shard.generation != generation.0 {
            return 0;
        }
        shard.insert(hash, key, record, self.max_segments, &self.policy)
    }

    /// Removes a record, and makes every [`Generation`] of its shard stale, whether or not there is such a record.
    pub(crate) fn remove(&self, key: &[u8; KEY]) {
        let (hash, mut shard) = self.shard(key);
        shard.generation += 1;
        shard.remove(hash, key, &self.policy);
    }

    /// Removes every record, and makes every [`Generation`] stale. One shard is locked at a time.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.generation += 1;
            shard.clear(&self.policy);
        }
    }

    /// Calls `visit` with every record, in no order. One shard is locked at a time.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&[u8; KEY], &[u8])) {
        for shard in &self.shards {
            for record in lock(shard).log.records() {
                visit(record.key, record.bytes);
            }
        }
    }

    fn shard(&self, key: &[u8; KEY]) -> (u64, MutexGuard<'_, Shard<KEY>>) {
        let hash = hash(key);
        // The index uses other bits of the hash.
        let shard = (hash >> 32) as usize % SHARDS;
        (hash, lock(&self.shards[shard]))
    }
}

fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::{
        super::{
            policy::NeverPinned,
            shard::{BACKOFF, MAX_STORED_BYTES},
        },
        *,
    };

    /// Pins the records that begin with a 1, and remembers which left the cache.
    #[derive(Default)]
    struct Observed(Mutex<Vec<([u8; 16], Vec<u8>)>>);

    impl Policy<16> for Observed {
        fn is_pinned(&self, _: &[u8; 16], record: &[u8]) -> bool {
            record[0] == 1
        }

        fn on_removal(&self, key: &[u8; 16], record: &[u8]) {
            lock(&self.0).push((*key, record.to_vec()));
        }
    }

    type Cache<P = NeverPinned> = super::Cache<16, P>;

    fn key(number: u64) -> [u8; 16] {
        let mut key = [0; 16];
        // As random as the end of an id.
        key[8..].copy_from_slice(&number.wrapping_mul(0xd134_2543_de82_ef95).to_be_bytes());
        key
    }

    fn get(cache: &Cache<impl Policy<16>>, number: u64) -> Option<Vec<u8>> {
        cache.get(&key(number), |bytes| bytes.to_vec())
    }

    fn segment_count(cache: &Cache<impl Policy<16>>) -> usize {
        let segments = |shard| lock::<Shard<16>>(shard).log.segment_count();
        cache.shards.iter().map(segments).sum()
    }

    #[test]
    fn a_record_read_before_a_removal_is_not_inserted_after_it() {
        let cache = Cache::new(0, Observed::default());
        let generation = cache.generation(&key(1));
        cache.remove(&key(1));
        cache.insert_if_current(&key(1), b"old", generation);
        assert_eq!(get(&cache, 1), None);
        cache.insert_if_current(&key(1), b"new", cache.generation(&key(1)));
        assert_eq!(get(&cache, 1).unwrap(), b"new");
        assert!(lock(&cache.policy.0).is_empty());
    }

    #[test]
    fn the_policy_observes_a_record_as_it_was_changed_in_place() {
        let cache = Cache::new(0, Observed::default());
        cache.insert(&key(1), b"old");
        cache.get(&key(1), |bytes| bytes.copy_from_slice(b"new"));
        cache.insert(&key(1), b"next");
        cache.remove(&key(1));
        assert_eq!(
            *lock(&cache.policy.0),
            [(key(1), b"new".to_vec()), (key(1), b"next".to_vec())]
        );
        assert_eq!(get(&cache, 1), None);
    }

    #[test]
    fn the_capacity_is_a_limit_and_records_that_are_hit_stay() {
        let cache = Cache::new(1 << 22, Observed::default());
        for number in 0..100_000 {
            assert_eq!(cache.insert(&key(number), &[7; 80]), 0);
            assert!(get(&cache, number % 40).is_some(), "{number}");
            cache.peek(&key(40 + number % 40), |_| ());
        }
        assert!((40..80).all(|number| cache.peek(&key(number), |_| ()).is_none()));
        assert!(segment_count(&cache) * SEGMENT_BYTES <= 1 << 22);
        let mut cached = 0;
        cache.for_each(|_, bytes| {
            assert_eq!(bytes, [7; 80]);
            cached += 1;
        });
        assert_eq!(cached + lock(&cache.policy.0).len(), 100_000);
        // Two segments a shard, of which one is being filled.
        assert!(cached > (1 << 22) / 100 * 3 / 4, "{cached}");
    }

    #[test]
    fn pinned_records_are_not_evicted_until_they_are_unpinned() {
        let cache = Cache::new(1 << 22, Observed::default());
        let last = 100_000;
        let mut blocked = 0;
        for number in 0..last {
            blocked += cache.insert(&key(number), &[1; 80]);
        }
        assert!(lock(&cache.policy.0).is_empty());
        // A segment has 330 records, and is not searched again by each insert.
        assert!(
            (1..last as usize / 16 * 330).contains(&blocked),
            "{blocked}"
        );
        assert!(segment_count(&cache) * SEGMENT_BYTES <= 1 << 22);
        assert_eq!(get(&cache, last - 1), None);
        let unpin = |&number: &u64| cache.peek(&key(number), |bytes| bytes[0] = 0).is_some();
        let cached = (0..last).filter(unpin).count();
        assert!(cached > (1 << 22) / 100 * 3 / 4, "{cached}");
        for _ in 0..=BACKOFF {
            cache.insert(&key(last), &[0; 80]);
        }
        assert!(get(&cache, last).is_some());
    }

    #[test]
    fn the_space_of_removed_records_is_reused() {
        let cache = Cache::new(1 << 26, NeverPinned);
        for _ in 0..2000 {
            for number in 0..200 {
                cache.remove(&key(number));
                cache.insert(&key(number), &[7; 80]);
            }
        }
        let segments = segment_count(&cache);
        assert!(segments <= 4 * SHARDS, "{segments}");
        assert!((0..200).all(|number| get(&cache, number).is_some()));
    }

    #[test]
    fn a_record_that_is_too_long_is_not_cached() {
        let cache = Cache::new(0, NeverPinned);
        cache.insert(&key(1), b"short");
        cache.insert(&key(2), &[0; MAX_STORED_BYTES]);
        assert_eq!(get(&cache, 2), None);
        assert!(get(&cache, 1).is_some());
    }

    #[test]
    fn a_cleared_cache_is_empty_and_takes_nothing_that_was_read_before() {
        let cache = Cache::new(1 << 22, Observed::default());
        for number in 0..1000 {
            cache.insert(&key(number), &[(number % 2) as u8; 80]);
        }
        cache.remove(&key(0));
        let generation = cache.generation(&key(1));
        cache.clear();
        assert!((0..1000).all(|number| get(&cache, number).is_none()));
        assert_eq!(lock(&cache.policy.0).len(), 1000);
        cache.insert_if_current(&key(1), b"old", generation);
        assert_eq!(get(&cache, 1), None);
        cache.insert(&key(1), b"new");
        assert_eq!(get(&cache, 1).unwrap(), b"new");
    }

    proptest! {
        #[test]
        fn a_hit_returns_what_was_inserted_last(steps in prop::collection::vec((0..300u64, 0..3u8, 0..3000usize), 0..3000)) {
            let cache = Cache::new(0, NeverPinned);
            let mut map = HashMap::new();
            for (number, step, length) in steps {
                match step {
                    0 => {
                        cache.insert(&key(number), &vec![number as u8; length]);
                        map.insert(number, length);
                    }
                    1 => {
                        cache.remove(&key(number));
                        map.remove(&number);
                    }
                    // It may have been evicted, but is nothing else.
                    _ => if let Some(found) = get(&cache, number) {
                        prop_assert_eq!(Some(&found.len()), map.get(&number));
                        prop_assert!(found.iter().all(|&byte| byte == number as u8));
                    },
                }
            }
        }
    }
}
