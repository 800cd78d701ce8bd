//! Very many small records by their keys, with neither a pointer nor an allocation for each.
//!
//! Records lie one behind the other in segments, in the order in which they came, and an index finds them by their keys. When
//! there is no room left, the oldest segment is given up: what was asked for while it lay there, and what must stay, moves to
//! the end, the rest is let go (the CLOCK algorithm). If that makes no room either, what is new is not kept.

use std::{
    collections::VecDeque,
    iter,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hashbrown::HashTable;

/// So that threads seldom wait for each other, and a walk over all records holds up nobody for long.
const SHARDS: usize = 64;
const OFFSET_BITS: u32 = 15;
const SEGMENT_BYTES: usize = 1 << OFFSET_BITS;
/// A longer record is not kept: few accounts have so much to say, and none should drive out many others.
const MOST_RECORD_BYTES: usize = SEGMENT_BYTES / 8;
/// Where the oldest segment made no room, so many records are not kept before the next one is tried: to move it costs nearly as
/// much as to look an account up.
const PAUSE: u32 = 15;

/// Records of bytes, by keys of `KEY` bytes that end with 8 random ones.
pub(crate) struct Cache<const KEY: usize> {
    shards: Vec<Mutex<Shard<KEY>>>,
    limits: Limits<KEY>,
}

/// What holds for every shard.
struct Limits<const KEY: usize> {
    /// How many segments it may have.
    segments: usize,
    /// Which records make no room for others.
    must_stay: fn(&[u8; KEY], &[u8]) -> bool,
}

/// A moment in the life of a shard: what was read before something was removed may not be put in after it.
#[derive(Clone, Copy)]
pub(crate) struct Moment(u64);

impl<const KEY: usize> Cache<KEY> {
    /// Room for `bytes` of records, of which those that `must_stay` make no room for others. The index takes 5 to 11 bytes for
    /// each record beside.
    pub(crate) fn new(bytes: usize, must_stay: fn(&[u8; KEY], &[u8]) -> bool) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            limits: Limits {
                segments: (bytes / SHARDS / SEGMENT_BYTES).max(2),
                must_stay,
            },
        }
    }

    /// What `read` makes of the record, which it may change in place. `None`: there is none.
    pub(crate) fn get<T>(&self, key: &[u8; KEY], read: impl FnOnce(&mut [u8]) -> T) -> Option<T> {
        let (hash, mut shard) = self.shard(key);
        shard.get(hash, key, ASKED_FOR).map(read)
    }

    /// As [`Self::get`], for what is no reason to keep the record: it is let go as if nobody had asked.
    pub(crate) fn peek<T>(&self, key: &[u8; KEY], read: impl FnOnce(&mut [u8]) -> T) -> Option<T> {
        let (hash, mut shard) = self.shard(key);
        shard.get(hash, key, 0).map(read)
    }

    /// The moment before a read of what may become the record of `key`.
    pub(crate) fn moment(&self, key: &[u8; KEY]) -> Moment {
        Moment(self.shard(key).1.removals)
    }

    /// Puts a record in, unless something was removed since a moment, or nothing makes room for it. What does goes to
    /// `let_go`. Returned is how many did not for no other reason than that they must stay.
    pub(crate) fn insert(
        &self,
        key: &[u8; KEY],
        record: &[u8],
        since: Option<Moment>,
        let_go: &mut dyn FnMut(&[u8; KEY], &[u8]),
    ) -> usize {
        let (hash, mut shard) = self.shard(key);
        let is_late = since.is_some_and(|since| shard.removals != since.0);
        if is_late || HEAD_BYTES + KEY + record.len() > MOST_RECORD_BYTES {
            return 0;
        }
        shard.remove(hash, key, let_go);
        shard.insert(hash, key, record, &self.limits, let_go)
    }

    /// Takes a record out; what it was goes to `let_go`. Whatever of this shard is being read must not be put in any more.
    pub(crate) fn remove(&self, key: &[u8; KEY], let_go: &mut dyn FnMut(&[u8; KEY], &[u8])) {
        let (hash, mut shard) = self.shard(key);
        shard.removals += 1;
        shard.remove(hash, key, let_go);
    }

    /// Shows every record to `look`, in no order.
    pub(crate) fn for_each(&self, mut look: impl FnMut(&[u8; KEY], &[u8])) {
        for shard in &self.shards {
            let shard = lock(shard);
            for segment in &shard.log.segments {
                records(segment)
                    .filter(|record| !record.is(DEAD))
                    .for_each(|record| look(record.key, record.bytes));
            }
        }
    }

    fn shard(&self, key: &[u8; KEY]) -> (u64, MutexGuard<'_, Shard<KEY>>) {
        let hash = hash(key);
        // Other bits than the index takes.
        let shard = (hash >> 32) as usize % SHARDS;
        (hash, lock(&self.shards[shard]))
    }
}

fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keys are random already, where nobody but the server chooses; the product spreads what is random of their end.
fn hash<const KEY: usize>(key: &[u8; KEY]) -> u64 {
    let end = key.last_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(end).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Where a record lies: in which segment, modulo 2^17, and at which offset there.
type Place = u32;

const fn place(segment: u32, offset: usize) -> Place {
    segment << OFFSET_BITS | offset as u32
}

#[derive(Default)]
struct Shard<const KEY: usize> {
    index: HashTable<Place>,
    log: Log<KEY>,
    /// How often something was removed.
    removals: u64,
    /// How many records are not to be kept before the oldest segment is tried again.
    pause: u32,
}

impl<const KEY: usize> Shard<KEY> {
    fn get(&mut self, hash: u64, key: &[u8; KEY], flag: u8) -> Option<&mut [u8]> {
        let log = &self.log;
        let place = *self
            .index
            .find(hash, |&place| log.key_at(place) == Some(key))?;
        self.log.flag(place, flag)
    }

    fn insert(
        &mut self,
        hash: u64,
        key: &[u8; KEY],
        bytes: &[u8],
        limits: &Limits<KEY>,
        let_go: &mut dyn FnMut(&[u8; KEY], &[u8]),
    ) -> usize {
        if self.log.is_half_dead() {
            self.empty_oldest(|_| true, let_go);
        }
        let mut in_the_way = 0;
        let is_full =
            |log: &Log<KEY>| !log.has_room_for(bytes) && log.segments.len() >= limits.segments;
        if is_full(&self.log) {
            if self.pause > 0 {
                self.pause -= 1;
                return 0;
            }
            let stays = |record: &Record<'_, KEY>| {
                if record.is(ASKED_FOR) {
                    return true;
                }
                let must_stay = (limits.must_stay)(record.key, record.bytes);
                in_the_way += usize::from(must_stay);
                must_stay
            };
            // One segment is enough for a request to move; the next one finds the flags of these records cleared.
            self.empty_oldest(stays, let_go);
            if is_full(&self.log) {
                self.pause = PAUSE;
                return in_the_way;
            }
        }
        let place = self.log.append(key, bytes);
        let log = &self.log;
        self.index.insert_unique(hash, place, |&place| {
            log.key_at(place).map_or(0, self::hash)
        });
        in_the_way
    }

    fn remove(&mut self, hash: u64, key: &[u8; KEY], let_go: &mut dyn FnMut(&[u8; KEY], &[u8])) {
        let log = &self.log;
        let found = self
            .index
            .find_entry(hash, |&place| log.key_at(place) == Some(key));
        let Ok(found) = found else { return };
        let (place, _) = found.remove();
        if let Some(bytes) = self.log.flag(place, DEAD) {
            let_go(key, bytes);
            self.log.dead_bytes += HEAD_BYTES + KEY + bytes.len();
        }
    }

    /// Moves what is to `stay` of the oldest segment to the end, and lets the rest go.
    fn empty_oldest(
        &mut self,
        mut stay: impl FnMut(&Record<'_, KEY>) -> bool,
        let_go: &mut dyn FnMut(&[u8; KEY], &[u8]),
    ) {
        let Some((number, segment)) = self.log.pop_oldest() else {
            return;
        };
        for record in records::<KEY>(&segment) {
            if record.is(DEAD) {
                self.log.dead_bytes -= HEAD_BYTES + KEY + record.bytes.len();
                continue;
            }
            let old = place(number, record.offset);
            let found = self
                .index
                .find_entry(hash(record.key), |&place| place == old);
            let Ok(mut found) = found else { continue };
            if stay(&record) {
                *found.get_mut() = self.log.append(record.key, record.bytes);
            } else {
                found.remove();
                let_go(record.key, record.bytes);
            }
        }
        self.log.spare = segment;
    }
}

/// The records of a shard. Each is its length in two bytes, its flags in one, its key, and itself.
#[derive(Default)]
struct Log<const KEY: usize> {
    /// The oldest first.
    segments: VecDeque<Vec<u8>>,
    /// The number of the oldest.
    first: u32,
    dead_bytes: usize,
    /// An emptied segment, to be filled again.
    spare: Vec<u8>,
}

const HEAD_BYTES: usize = 3;
const FLAGS: usize = 2;
/// Somebody asked for the record since it was put where it lies.
const ASKED_FOR: u8 = 1;
/// The record was removed.
const DEAD: u8 = 2;

/// Segments are counted in what a [`Place`] leaves for them.
const SEGMENTS: u32 = 1 << (u32::BITS - OFFSET_BITS);

impl<const KEY: usize> Log<KEY> {
    fn key_at(&self, place: Place) -> Option<&[u8; KEY]> {
        let (segment, offset) = self.locate(place);
        self.segments
            .get(segment)?
            .get(offset + HEAD_BYTES..)?
            .first_chunk()
    }

    /// Sets a flag of the record, which is what is returned.
    fn flag(&mut self, place: Place, flag: u8) -> Option<&mut [u8]> {
        let (segment, offset) = self.locate(place);
        let (head, rest) = self
            .segments
            .get_mut(segment)?
            .get_mut(offset..)?
            .split_at_mut_checked(HEAD_BYTES + KEY)?;
        head[FLAGS] |= flag;
        let length = u16::from_le_bytes([head[0], head[1]]);
        rest.get_mut(..length.into())
    }

    fn locate(&self, place: Place) -> (usize, usize) {
        let number = place >> OFFSET_BITS;
        let segment = number.wrapping_sub(self.first) % SEGMENTS;
        (segment as usize, place as usize % SEGMENT_BYTES)
    }

    fn has_room_for(&self, bytes: &[u8]) -> bool {
        self.segments
            .back()
            .is_some_and(|last| last.len() + HEAD_BYTES + KEY + bytes.len() <= SEGMENT_BYTES)
    }

    /// Whether so much is dead that to move the rest is worth its while.
    fn is_half_dead(&self) -> bool {
        self.dead_bytes > SEGMENT_BYTES && self.dead_bytes * 2 > self.segments.len() * SEGMENT_BYTES
    }

    fn append(&mut self, key: &[u8; KEY], bytes: &[u8]) -> Place {
        if !self.has_room_for(bytes) {
            let mut segment = std::mem::take(&mut self.spare);
            segment.clear();
            segment.reserve_exact(SEGMENT_BYTES);
            self.segments.push_back(segment);
        }
        let newest = self.segments.len() - 1;
        let segment = &mut self.segments[newest];
        let place = place(self.first.wrapping_add(newest as u32), segment.len());
        segment.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
        segment.push(0);
        segment.extend_from_slice(key);
        segment.extend_from_slice(bytes);
        place
    }

    /// The oldest segment with its number.
    fn pop_oldest(&mut self) -> Option<(u32, Vec<u8>)> {
        let segment = self.segments.pop_front()?;
        let number = self.first;
        self.first = self.first.wrapping_add(1) % SEGMENTS;
        Some((number, segment))
    }
}

/// A record where it lies.
struct Record<'a, const KEY: usize> {
    offset: usize,
    flags: u8,
    key: &'a [u8; KEY],
    bytes: &'a [u8],
}

impl<const KEY: usize> Record<'_, KEY> {
    const fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// The records of a segment in their order.
fn records<const KEY: usize>(segment: &[u8]) -> impl Iterator<Item = Record<'_, KEY>> {
    let mut offset = 0;
    iter::from_fn(move || {
        let (&[low, high, flags], rest) = segment.get(offset..)?.split_first_chunk()?;
        let (key, rest) = rest.split_first_chunk()?;
        let bytes = rest.get(..u16::from_le_bytes([low, high]).into())?;
        let record = Record {
            offset,
            flags,
            key,
            bytes,
        };
        offset += HEAD_BYTES + KEY + bytes.len();
        Some(record)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    type Cache = super::Cache<16>;

    fn key(number: u64) -> [u8; 16] {
        let mut key = [0; 16];
        // As random as the end of an id.
        key[8..].copy_from_slice(&number.wrapping_mul(0xd134_2543_de82_ef95).to_be_bytes());
        key
    }

    fn put(cache: &Cache, number: u64, bytes: &[u8]) {
        cache.insert(&key(number), bytes, None, &mut |_, _| ());
    }

    fn get(cache: &Cache, number: u64) -> Option<Vec<u8>> {
        cache.get(&key(number), |bytes| bytes.to_vec())
    }

    fn held(cache: &Cache) -> usize {
        let segments = |shard| lock::<Shard<16>>(shard).log.segments.len();
        cache.shards.iter().map(segments).sum()
    }

    #[test]
    fn what_was_read_before_a_removal_is_not_put_in_after_it() {
        let cache = Cache::new(0, |_, _| false);
        let moment = cache.moment(&key(1));
        cache.remove(&key(1), &mut |_, _| panic!("there is nothing"));
        cache.insert(&key(1), b"old", Some(moment), &mut |_, _| ());
        assert_eq!(get(&cache, 1), None);
        put(&cache, 1, b"new");
        assert_eq!(get(&cache, 1).unwrap(), b"new");
    }

    #[test]
    fn a_record_is_changed_in_place() {
        let cache = Cache::new(0, |_, _| false);
        put(&cache, 1, b"old");
        cache.get(&key(1), |bytes| bytes.copy_from_slice(b"new"));
        let mut gone = Vec::new();
        cache.remove(&key(1), &mut |key, bytes| gone.push((*key, bytes.to_vec())));
        assert_eq!(gone, [(key(1), b"new".to_vec())]);
        assert_eq!(get(&cache, 1), None);
    }

    #[test]
    fn there_are_never_more_than_fit_and_what_is_asked_for_stays() {
        let cache = Cache::new(1 << 22, |_, _| false);
        let mut let_go = 0;
        for number in 0..100_000 {
            let in_the_way = cache.insert(&key(number), &[7; 80], None, &mut |_, _| let_go += 1);
            assert_eq!(in_the_way, 0);
            assert!(get(&cache, number % 40).is_some(), "{number}");
            cache.peek(&key(40 + number % 40), |_| ());
        }
        assert!((40..80).all(|number| cache.peek(&key(number), |_| ()).is_none()));
        assert!(held(&cache) * SEGMENT_BYTES <= 1 << 22);
        let mut kept = 0;
        cache.for_each(|key, bytes| {
            assert_eq!(bytes, [7; 80]);
            assert!(cache.shards.len() == SHARDS && key.len() == 16);
            kept += 1;
        });
        assert_eq!(kept + let_go, 100_000);
        // Two segments a shard, of which one is being filled.
        assert!(kept > (1 << 22) / 100 * 3 / 4, "{kept}");
    }

    #[test]
    fn what_must_stay_makes_no_room_until_it_need_not() {
        let cache = Cache::new(1 << 22, |_, bytes| bytes[0] == 1);
        let last = 100_000;
        let mut in_the_way = 0;
        for number in 0..last {
            in_the_way += cache.insert(&key(number), &[1; 80], None, &mut |_, _| panic!("let go"));
        }
        // That is said, and not found out anew for each: a segment has 330 of them.
        assert!(
            (1..last as usize / 16 * 330).contains(&in_the_way),
            "{in_the_way}"
        );
        assert!(held(&cache) * SEGMENT_BYTES <= 1 << 22);
        assert_eq!(get(&cache, last - 1), None);
        let kept: Vec<_> = (0..last)
            .filter(|&number| cache.peek(&key(number), |bytes| bytes[0] = 0).is_some())
            .collect();
        assert!(kept.len() > (1 << 22) / 100 * 3 / 4, "{}", kept.len());
        // Soon the oldest segment is tried again.
        for _ in 0..=PAUSE {
            put(&cache, last, &[0; 80]);
        }
        assert!(get(&cache, last).is_some());
    }

    #[test]
    fn what_was_removed_leaves_its_room() {
        let cache = Cache::new(1 << 26, |_, _| false);
        for _ in 0..2000 {
            for number in 0..200 {
                cache.remove(&key(number), &mut |_, _| ());
                put(&cache, number, &[7; 80]);
            }
        }
        assert!(held(&cache) <= 4 * SHARDS, "{}", held(&cache));
        assert!((0..200).all(|number| get(&cache, number).is_some()));
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let cache = Cache::new(0, |_, _| false);
        put(&cache, 1, b"short");
        put(&cache, 2, &[0; MOST_RECORD_BYTES]);
        assert_eq!(get(&cache, 2), None);
        assert!(get(&cache, 1).is_some());
    }

    proptest! {
        #[test]
        fn it_has_what_a_map_has(steps in prop::collection::vec((0..300u64, 0..3u8, 0..3000usize), 0..3000)) {
            let cache = Cache::new(0, |_, _| false);
            let mut map = HashMap::new();
            for (number, step, length) in steps {
                match step {
                    0 => {
                        put(&cache, number, &vec![number as u8; length]);
                        map.insert(number, length);
                    }
                    1 => {
                        cache.remove(&key(number), &mut |_, _| ());
                        map.remove(&number);
                    }
                    // It may have been let go, but is nothing else.
                    _ => if let Some(found) = get(&cache, number) {
                        prop_assert_eq!(Some(&found.len()), map.get(&number));
                        prop_assert!(found.iter().all(|&byte| byte == number as u8));
                    },
                }
            }
        }
    }
}
