//! The order of the ids that one node creates within a millisecond.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::Timestamp;

/// How many ids are ordered within a millisecond. Further ids share the last number.
const NUMBERS: i64 = 1 << 12;

/// Counts the ids of a millisecond (RFC 9562 §6.2, method 1), so that ids which this node creates later sort later.
#[derive(Default)]
pub(super) struct IdSequence {
    /// The millisecond of the last id and its number: `millisecond << 12 | number`.
    last: AtomicI64,
}

impl IdSequence {
    /// The number of the next id in the millisecond of `now`: 0 to 4095.
    pub(super) fn next(&self, now: Timestamp) -> u16 {
        let first = now.as_millis().saturating_mul(NUMBERS);
        let next = |last: i64| {
            if last.div_euclid(NUMBERS) == now.as_millis() {
                (last + 1).min(first + NUMBERS - 1)
            } else {
                first
            }
        };
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(next(last))
            })
            .unwrap_or(first);
        next(last).rem_euclid(NUMBERS) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_millisecond_are_numbered_and_the_next_millisecond_starts_anew() {
        let sequence = IdSequence::default();
        let [one, two] = [1_700_000_000_000, 1_700_000_000_001].map(Timestamp::from_millis);
        let numbers = [one, one, one, two, two].map(|now| sequence.next(now));
        assert_eq!(numbers, [0, 1, 2, 0, 1]);
        for _ in 0..5000 {
            sequence.next(two);
        }
        assert_eq!(sequence.next(two), 4095);
    }
}
