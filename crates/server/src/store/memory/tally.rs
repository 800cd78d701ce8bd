//! The use of one secret on one day, in the few bytes that a remembered client has for it.

use crate::{
    domain::{DailyUsage, Day, SecretId, SecretUse, Timestamp, Usage},
    packed::Reader,
};

/// Tokens issued with one secret, and tokens refused, on one day: mostly all that a client does between two flushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// Which of the client's secrets, if a token was issued.
    secret: u8,
    issued: u32,
    refused: u16,
    /// Of the tokens issued the first; if there is none, the first refusal.
    first: Timestamp,
    /// How much later the last was, in milliseconds: less than a day.
    span: u32,
}

impl Tally {
    pub(super) const BYTES: usize = 17;
    /// Before this instant, and after its opposite: what six bytes hold, until the year 6429.
    const END_MS: i64 = 1 << 47;

    /// Nothing yet.
    pub(super) const NONE: Self = Self {
        secret: 0,
        issued: 0,
        refused: 0,
        first: Timestamp::from_millis(0),
        span: 0,
    };

    pub(super) const fn is_empty(&self) -> bool {
        self.issued == 0 && self.refused == 0
    }

    /// The same with a token issued with that secret. `None`: that is another secret, another day, or too much.
    pub(super) fn issued(self, secret: u8, now: Timestamp) -> Option<Self> {
        let begin = if self.issued == 0 { now } else { self.first };
        let first = begin.min(now);
        let last = now.max(Timestamp::from_millis(
            begin.as_millis() + i64::from(self.span),
        ));
        let fits = self.is_of_day(now) && (self.issued == 0 || self.secret == secret);
        fits.then_some(Self {
            secret,
            issued: self.issued.checked_add(1)?,
            first,
            span: u32::try_from(last.as_millis() - first.as_millis()).ok()?,
            ..self
        })
    }

    /// The same with a token refused. `None`: that is another day, or too much.
    pub(super) fn refused(self, now: Timestamp) -> Option<Self> {
        let first = if self.is_empty() { now } else { self.first };
        self.is_of_day(now).then_some(Self {
            refused: self.refused.checked_add(1)?,
            first,
            ..self
        })
    }

    /// The same, in full; `secret` has the id of the secret.
    pub(super) fn usage(self, secret: SecretId) -> Usage {
        let last = self.first.as_millis() + i64::from(self.span);
        let used = (self.issued > 0).then_some(SecretUse {
            id: secret,
            first_used_at: self.first,
            last_used_at: Timestamp::from_millis(last),
        });
        let day = (!self.is_empty()).then_some(DailyUsage {
            day: Day::of(self.first),
            tokens_issued: self.issued.into(),
            tokens_refused: self.refused.into(),
        });
        Usage {
            secrets: used.into_iter().collect(),
            days: day.into_iter().collect(),
        }
    }

    /// Which secret it is about.
    pub(super) const fn secret(&self) -> u8 {
        self.secret
    }

    fn is_of_day(&self, now: Timestamp) -> bool {
        let fits = (-Self::END_MS..Self::END_MS).contains(&now.as_millis());
        fits && (self.is_empty() || Day::of(self.first) == Day::of(now))
    }

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..6].copy_from_slice(&self.first.as_millis().to_be_bytes()[2..]);
        bytes[6] = self.secret;
        bytes[7..11].copy_from_slice(&self.issued.to_be_bytes());
        bytes[11..13].copy_from_slice(&self.refused.to_be_bytes());
        bytes[13..].copy_from_slice(&self.span.to_be_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [high, a, b, c, d, e] = reader.array()?;
        // The sign is that of the highest byte.
        let sign = if high < 0x80 { 0 } else { 0xff };
        let first = i64::from_be_bytes([sign, sign, high, a, b, c, d, e]);
        let [secret] = reader.array()?;
        Some(Self {
            secret,
            issued: u32::from_be_bytes(reader.array()?),
            refused: u16::from_be_bytes(reader.array()?),
            first: Timestamp::from_millis(first),
            span: u32::from_be_bytes(reader.array()?),
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
    fn another_secret_or_another_day_is_another_tally() {
        let at = |millis| Timestamp::from_millis(MIDNIGHT + millis);
        let one = Tally::NONE.issued(2, at(0)).unwrap();
        assert_eq!(one.secret(), 2);
        assert_eq!(one.issued(3, at(1)), None);
        assert_eq!(one.issued(2, at(-1)), None);
        assert_eq!(one.refused(at(-1)), None);
        // Refusals are of no secret.
        let refused = Tally::NONE.refused(at(5)).unwrap();
        assert_eq!(refused.usage(SECRET).secrets, []);
        assert!(refused.issued(3, at(1)).is_some());
    }

    #[test]
    fn what_it_has_no_room_for_is_no_tally() {
        let at = Timestamp::from_millis;
        for now in [-Tally::END_MS, -1, 0, Tally::END_MS - 1] {
            let tally = Tally::NONE.issued(1, at(now)).unwrap();
            assert_eq!(Tally::from_bytes(&tally.to_bytes()), Some(tally));
        }
        assert_eq!(Tally::NONE.issued(1, at(Tally::END_MS)), None);
        assert_eq!(Tally::NONE.refused(at(-Tally::END_MS - 1)), None);
        let full = (0..u16::MAX).fold(Tally::NONE, |tally, _| tally.refused(at(5)).unwrap());
        assert_eq!(full.refused(at(5)), None);
    }

    proptest! {
        #[test]
        fn it_says_what_usage_says(events in prop::collection::vec((any::<bool>(), 0..1000i64), 0..20)) {
            let (mut tally, mut usage) = (Tally::NONE, Usage::default());
            for (is_issued, millis) in events {
                let now = Timestamp::from_millis(MIDNIGHT + millis);
                if is_issued {
                    tally = tally.issued(0, now).unwrap();
                    usage.issued(SECRET, now);
                } else {
                    tally = tally.refused(now).unwrap();
                    usage.refused(now);
                }
                tally = Tally::from_bytes(&tally.to_bytes()).unwrap();
            }
            prop_assert_eq!(tally.usage(SECRET), usage);
        }
    }
}
