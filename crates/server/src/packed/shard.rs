//! One shard of a cache: an index over a log, and the eviction of records.

use hashbrown::HashTable;

use super::{
    log::{HIT, Location, Log, REMOVED, Record, SEGMENT_BYTES, location, records, stored_bytes},
    policy::Policy,
};

/// A longer record is not cached: one record should not evict many others.
pub(super) const MAX_STORED_BYTES: usize = SEGMENT_BYTES / 8;
/// After the oldest segment freed no space, this many inserts are refused before the next attempt: moving a segment's records
/// costs nearly as much as a look-up in the database.
pub(super) const BACKOFF: u32 = 15;

/// Keys end with random bytes that only the server chooses; the product spreads them over all bits.
pub(super) fn hash<const KEY: usize>(key: &[u8; KEY]) -> u64 {
    let end = key.last_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(end).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[derive(Default)]
pub(super) struct Shard<const KEY: usize> {
    index: HashTable<Location>,
    pub(super) log: Log<KEY>,
    /// Grows with each removal.
    pub(super) generation: u64,
    /// How many inserts are refused before the next attempt to evict.
    backoff: u32,
}

impl<const KEY: usize> Shard<KEY> {
    /// The bytes of a record, after setting a flag of it; 0 sets none.
    pub(super) fn get(&mut self, hash: u64, key: &[u8; KEY], flag: u8) -> Option<&mut [u8]> {
        let log = &self.log;
        let location = *self
            .index
            .find(hash, |&location| log.key_at(location) == Some(key))?;
        self.log.flag(location, flag)
    }

    /// Inserts or replaces a record, evicting others if the log has `max_segments` already. Returns how many records could not be
    /// evicted only because they are pinned.
    pub(super) fn insert(
        &mut self,
        hash: u64,
        key: &[u8; KEY],
        bytes: &[u8],
        max_segments: usize,
        policy: &impl Policy<KEY>,
    ) -> usize {
        if stored_bytes::<KEY>(bytes) > MAX_STORED_BYTES {
            return 0;
        }
        self.remove(hash, key, policy);
        if self.log.is_mostly_removed() {
            self.empty_oldest(|_| true, policy);
        }
        let mut pinned = 0;
        let is_full =
            |log: &Log<KEY>| !log.has_space_for(bytes) && log.segment_count() >= max_segments;
        if is_full(&self.log) {
            if self.backoff > 0 {
                self.backoff -= 1;
                return 0;
            }
            let keep = |record: &Record<'_, KEY>| {
                if record.has(HIT) {
                    return true;
                }
                let is_pinned = policy.is_pinned(record.key, record.bytes);
                pinned += usize::from(is_pinned);
                is_pinned
            };
            // One segment per insert: the records moved now have lost their HIT flag, and the next insert may evict them.
            self.empty_oldest(keep, policy);
            if is_full(&self.log) {
                self.backoff = BACKOFF;
                return pinned;
            }
        }
        let location = self.log.append(key, bytes);
        let log = &self.log;
        self.index.insert_unique(hash, location, |&location| {
            log.key_at(location).map_or(0, self::hash)
        });
        pinned
    }

    pub(super) fn remove(&mut self, hash: u64, key: &[u8; KEY], policy: &impl Policy<KEY>) {
        let log = &self.log;
        let found = self
            .index
            .find_entry(hash, |&location| log.key_at(location) == Some(key));
        let Ok(found) = found else { return };
        let (location, _) = found.remove();
        if let Some(bytes) = self.log.remove(location) {
            policy.on_removal(key, bytes);
        }
    }

    pub(super) fn clear(&mut self, policy: &impl Policy<KEY>) {
        while self.log.segment_count() > 0 {
            self.empty_oldest(|_| false, policy);
        }
    }

    /// Moves the records of the oldest segment that are to be kept to the end of the log, and evicts the others.
    fn empty_oldest(
        &mut self,
        mut keep: impl FnMut(&Record<'_, KEY>) -> bool,
        policy: &impl Policy<KEY>,
    ) {
        let Some((number, segment)) = self.log.pop_oldest() else {
            return;
        };
        for record in records::<KEY>(&segment) {
            if record.has(REMOVED) {
                self.log.forget_removed(&record);
                continue;
            }
            let old = location(number, record.offset);
            let found = self
                .index
                .find_entry(hash(record.key), |&location| location == old);
            let Ok(mut found) = found else { continue };
            if keep(&record) {
                *found.get_mut() = self.log.append(record.key, record.bytes);
            } else {
                found.remove();
                policy.on_removal(record.key, record.bytes);
            }
        }
        self.log.recycle(segment);
    }
}
