//! The records of one shard: segments of bytes, filled one after the other.

use std::{collections::VecDeque, iter};

const OFFSET_BITS: u32 = 15;
pub(super) const SEGMENT_BYTES: usize = 1 << OFFSET_BITS;
/// How many numbers a [`Location`] leaves for segments. They wrap around.
const SEGMENT_NUMBERS: u32 = 1 << (u32::BITS - OFFSET_BITS);

/// Before the key: the length of the record's bytes (2) and its flags (1).
const HEADER_BYTES: usize = 3;
const FLAGS_AT: usize = 2;
/// The record was hit since it was appended.
pub(super) const HIT: u8 = 1;
/// The record was removed; its bytes remain until its segment is emptied.
pub(super) const REMOVED: u8 = 2;

/// Where a record is: the number of its segment and the offset in it.
pub(super) type Location = u32;

pub(super) const fn location(segment: u32, offset: usize) -> Location {
    segment << OFFSET_BITS | offset as u32
}

/// How many bytes a record takes in a segment.
pub(super) const fn stored_bytes<const KEY: usize>(bytes: &[u8]) -> usize {
    HEADER_BYTES + KEY + bytes.len()
}

#[derive(Default)]
pub(super) struct Log<const KEY: usize> {
    /// Oldest first.
    segments: VecDeque<Vec<u8>>,
    /// The number of the oldest segment.
    first: u32,
    removed_bytes: usize,
    /// The buffer of an emptied segment, to be filled again.
    spare: Vec<u8>,
}

impl<const KEY: usize> Log<KEY> {
    pub(super) fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// The records, oldest first, without those removed.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_, KEY>> {
        self.segments
            .iter()
            .flat_map(|segment| records(segment))
            .filter(|record| !record.has(REMOVED))
    }

    pub(super) fn key_at(&self, location: Location) -> Option<&[u8; KEY]> {
        let (segment, offset) = self.locate(location);
        self.segments
            .get(segment)?
            .get(offset + HEADER_BYTES..)?
            .first_chunk()
    }

    /// The bytes of a record, after setting a flag of it; 0 sets none.
    pub(super) fn flag(&mut self, location: Location, flag: u8) -> Option<&mut [u8]> {
        let (segment, offset) = self.locate(location);
        let (header, rest) = self
            .segments
            .get_mut(segment)?
            .get_mut(offset..)?
            .split_at_mut_checked(HEADER_BYTES + KEY)?;
        header[FLAGS_AT] |= flag;
        let length = u16::from_le_bytes([header[0], header[1]]);
        rest.get_mut(..length.into())
    }

    /// Marks a record as removed and returns its bytes.
    pub(super) fn remove(&mut self, location: Location) -> Option<&[u8]> {
        let stored = stored_bytes::<KEY>(self.flag(location, REMOVED)?);
        self.removed_bytes += stored;
        self.flag(location, 0).map(|bytes| &*bytes)
    }

    /// Counts a removed record whose segment has left the log.
    pub(super) fn forget_removed(&mut self, record: &Record<'_, KEY>) {
        self.removed_bytes -= stored_bytes::<KEY>(record.bytes);
    }

    fn locate(&self, location: Location) -> (usize, usize) {
        let number = location >> OFFSET_BITS;
        let segment = number.wrapping_sub(self.first) % SEGMENT_NUMBERS;
        (segment as usize, location as usize % SEGMENT_BYTES)
    }

    /// Whether the newest segment has space for a record of these bytes.
    pub(super) fn has_space_for(&self, bytes: &[u8]) -> bool {
        self.segments
            .back()
            .is_some_and(|newest| newest.len() + stored_bytes::<KEY>(bytes) <= SEGMENT_BYTES)
    }

    /// Whether more than half of the log is removed records.
    pub(super) fn is_mostly_removed(&self) -> bool {
        self.removed_bytes > SEGMENT_BYTES
            && self.removed_bytes * 2 > self.segments.len() * SEGMENT_BYTES
    }

    pub(super) fn append(&mut self, key: &[u8; KEY], bytes: &[u8]) -> Location {
        if !self.has_space_for(bytes) {
            let mut segment = std::mem::take(&mut self.spare);
            segment.clear();
            segment.reserve_exact(SEGMENT_BYTES);
            self.segments.push_back(segment);
        }
        let newest = self.segments.len() - 1;
        let segment = &mut self.segments[newest];
        let location = location(self.first.wrapping_add(newest as u32), segment.len());
        segment.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
        segment.push(0);
        segment.extend_from_slice(key);
        segment.extend_from_slice(bytes);
        location
    }

    /// Takes the oldest segment out, with its number.
    pub(super) fn pop_oldest(&mut self) -> Option<(u32, Vec<u8>)> {
        let segment = self.segments.pop_front()?;
        let number = self.first;
        self.first = self.first.wrapping_add(1) % SEGMENT_NUMBERS;
        Some((number, segment))
    }

    /// Hands back the buffer of an emptied segment.
    pub(super) fn recycle(&mut self, segment: Vec<u8>) {
        self.spare = segment;
    }
}

/// A record in its segment.
pub(super) struct Record<'a, const KEY: usize> {
    pub(super) offset: usize,
    flags: u8,
    pub(super) key: &'a [u8; KEY],
    pub(super) bytes: &'a [u8],
}

impl<const KEY: usize> Record<'_, KEY> {
    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// The records of a segment, in order.
pub(super) fn records<const KEY: usize>(segment: &[u8]) -> impl Iterator<Item = Record<'_, KEY>> {
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
        offset += stored_bytes::<KEY>(bytes);
        Some(record)
    })
}
