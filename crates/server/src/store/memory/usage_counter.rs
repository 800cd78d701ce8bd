//! The usage of one secret on one day, in the few bytes that a client's record has for it.

use crate::{
    domain::{DailyUsage, Day, SecretId, SecretUse, Timestamp, Usage},
    packed::Reader,
};

/// Counts the tokens issued with one secret, and the tokens refused, on one day. That is usually all that a client does between
/// two flushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UsageCounter {
    /// Which of the client's secrets, if a token was issued.
    secret_index: u8,
    issued: u32,
    refused: u16,
    /// When the first token was issued; if none was, the first refusal.
    first_at: Timestamp,
    /// How much later the last token was issued, in milliseconds: less than a day.
    span_ms: u32,
}

impl UsageCounter {
    pub(super) const BYTES: usize = 17;
    /// Instants between minus this and this fit into six bytes: until the year 6429.
    const END_MS: i64 = 1 << 47;

    pub(super) const EMPTY: Self = Self {
        secret_index: 0,
        issued: 0,
        refused: 0,
        first_at: Timestamp::from_millis(0),
        span_ms: 0,
    };

    pub(super) const fn is_empty(&self) -> bool {
        self.issued == 0 && self.refused == 0
    }

    /// This counter after one more token issued with a secret. `None`: it counts another secret or another day, or is full.
    pub(super) fn issued(self, secret_index: u8, now: Timestamp) -> Option<Self> {
        let begin = if self.issued == 0 { now } else { self.first_at };
        let first = begin.min(now);
        let last = now.max(Timestamp::from_millis(
            begin.as_millis() + i64::from(self.span_ms),
        ));
        let fits = self.is_of_day(now) && (self.issued == 0 || self.secret_index == secret_index);
        fits.then_some(Self {
            secret_index,
            issued: self.issued.checked_add(1)?,
            first_at: first,
            span_ms: u32::try_from(last.as_millis() - first.as_millis()).ok()?,
            ..self
        })
    }

    /// This counter after one more token refused. `None`: it counts another day, or is full.
    pub(super) fn refused(self, now: Timestamp) -> Option<Self> {
        let first_at = if self.is_empty() { now } else { self.first_at };
        self.is_of_day(now).then_some(Self {
            refused: self.refused.checked_add(1)?,
            first_at,
            ..self
        })
    }

    /// What is counted, as usage; `secret` is the id of the secret at [`Self::secret_index`].
    pub(super) fn usage(self, secret: SecretId) -> Usage {
        let last = self.first_at.as_millis() + i64::from(self.span_ms);
        let used = (self.issued > 0).then_some(SecretUse {
            id: secret,
            first_used_at: self.first_at,
            last_used_at: Timestamp::from_millis(last),
        });
        let day = (!self.is_empty()).then_some(DailyUsage {
            day: Day::of(self.first_at),
            tokens_issued: self.issued.into(),
            tokens_refused: self.refused.into(),
        });
        Usage {
            secrets: used.into_iter().collect(),
            days: day.into_iter().collect(),
        }
    }

    /// Which of the client's secrets is counted.
    pub(super) const fn secret_index(&self) -> u8 {
        self.secret_index
    }

    fn is_of_day(&self, now: Timestamp) -> bool {
        let fits = (-Self::END_MS..Self::END_MS).contains(&now.as_millis());
        fits && (self.is_empty() || Day::of(self.first_at) == Day::of(now))
    }

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..6].copy_from_slice(&self.first_at.as_millis().to_be_bytes()[2..]);
        bytes[6] = self.secret_index;
        bytes[7..11].copy_from_slice(&self.issued.to_be_bytes());
        bytes[11..13].copy_from_slice(&self.refused.to_be_bytes());
        bytes[13..].copy_from_slice(&self.span_ms.to_be_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [high, a, b, c, d, e] = reader.array()?;
        // Extends the sign of the highest of the six bytes.
        let sign = if high < 0x80 { 0 } else { 0xff };
        let first_at = i64::from_be_bytes([sign, sign, high, a, b, c, d, e]);
        let [secret_index] = reader.array()?;
        Some(Self {
            secret_index,
            issued: u32::from_be_bytes(reader.array()?),
            refused: u16::from_be_bytes(reader.array()?),
            first_at: Timestamp::from_millis(first_at),
            span_ms: u32::from_be_bytes(reader.array()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: SecretId = SecretId::from_bytes([1; 16]);
    const MIDNIGHT: i64 = 20_780 * 24 * 3600 * 1000;

    #[test]
    fn a_counter_takes_one_secret_and_one_day() {
        let at = |millis| Timestamp::from_millis(MIDNIGHT + millis);
        let one = UsageCounter::EMPTY.issued(2, at(0)).unwrap();
        assert_eq!(one.secret_index(), 2);
        assert_eq!(one.issued(3, at(1)), None);
        assert_eq!(one.issued(2, at(-1)), None);
        assert_eq!(one.refused(at(-1)), None);
        // A refusal belongs to no secret.
        let refused = UsageCounter::EMPTY.refused(at(5)).unwrap();
        assert_eq!(refused.usage(SECRET).secrets, []);
        assert!(refused.issued(3, at(1)).is_some());
    }

    #[test]
    fn a_counter_refuses_what_its_bytes_cannot_hold() {
        let at = Timestamp::from_millis;
        for now in [-UsageCounter::END_MS, -1, 0, UsageCounter::END_MS - 1] {
            let counter = UsageCounter::EMPTY.issued(1, at(now)).unwrap();
            assert_eq!(UsageCounter::from_bytes(&counter.to_bytes()), Some(counter));
        }
        assert_eq!(
            UsageCounter::EMPTY.issued(1, at(UsageCounter::END_MS)),
            None
        );
        let before = at(-UsageCounter::END_MS - 1);
        assert_eq!(UsageCounter::EMPTY.refused(before), None);
        let mut full = UsageCounter::EMPTY;
        for _ in 0..u16::MAX {
            full = full.refused(at(5)).unwrap();
        }
        assert_eq!(full.refused(at(5)), None);
    }

    proptest! {
        #[test]
        fn a_counter_counts_as_usage_does(events in prop::collection::vec((any::<bool>(), 0..1000i64), 0..20)) {
            let (mut counter, mut usage) = (UsageCounter::EMPTY, Usage::default());
            for (is_issued, millis) in events {
                let now = Timestamp::from_millis(MIDNIGHT + millis);
                if is_issued {
                    counter = counter.issued(0, now).unwrap();
                    usage.issued(SECRET, now);
                } else {
                    counter = counter.refused(now).unwrap();
                    usage.refused(now);
                }
                counter = UsageCounter::from_bytes(&counter.to_bytes()).unwrap();
            }
            prop_assert_eq!(counter.usage(SECRET), usage);
        }
    }
}
