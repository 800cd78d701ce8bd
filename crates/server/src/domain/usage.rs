//! Usage: when secrets were used, and how many tokens were issued and refused to an account each day.

use super::{id::SecretId, timestamp::Timestamp};

/// A day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    const MILLIS: i64 = 24 * 60 * 60 * 1000;

    /// The day that is `number` days after 1970-01-01.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// Days since 1970-01-01.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The day of an instant.
    pub const fn of(at: Timestamp) -> Self {
        Self(at.as_millis().div_euclid(Self::MILLIS))
    }

    /// The first instant of the day.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_mul(Self::MILLIS))
    }

    /// The day `days` earlier.
    pub const fn back(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days))
    }
}

/// How many tokens were issued and refused to an account on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyUsage {
    /// The day.
    pub day: Day,
    /// Tokens issued.
    pub tokens_issued: i64,
    /// Tokens refused.
    pub tokens_refused: i64,
}

impl DailyUsage {
    /// A day without tokens.
    pub const fn none(day: Day) -> Self {
        Self {
            day,
            tokens_issued: 0,
            tokens_refused: 0,
        }
    }
}

/// When tokens were issued with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretUse {
    /// The id of the secret.
    pub id: SecretId,
    /// When the first token was issued.
    pub first_used_at: Timestamp,
    /// When the last token was issued.
    pub last_used_at: Timestamp,
}

/// The usage of one account over some time. Each secret and each day occurs at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The secrets that were used.
    pub secrets: Vec<SecretUse>,
    /// The days on which a token was issued or refused.
    pub days: Vec<DailyUsage>,
}

impl Usage {
    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.days.is_empty()
    }

    /// When the last token was issued. `None`: none was.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        self.secrets.iter().map(|used| used.last_used_at).max()
    }

    /// Counts a token issued with `secret`.
    pub fn issued(&mut self, secret: SecretId, now: Timestamp) {
        self.used(SecretUse {
            id: secret,
            first_used_at: now,
            last_used_at: now,
        });
        self.day(Day::of(now)).tokens_issued += 1;
    }

    /// Counts a token refused.
    pub fn refused(&mut self, now: Timestamp) {
        self.day(Day::of(now)).tokens_refused += 1;
    }

    /// Adds the use of a secret. The first use only moves back and the last use only forward, even if the clock was set back.
    pub fn used(&mut self, used: SecretUse) {
        match self.secrets.iter_mut().find(|known| known.id == used.id) {
            Some(known) => {
                known.first_used_at = known.first_used_at.min(used.first_used_at);
                known.last_used_at = known.last_used_at.max(used.last_used_at);
            }
            None => push(&mut self.secrets, used),
        }
    }

    /// Adds further usage of the same account.
    pub fn add(&mut self, other: &Self) {
        for &used in &other.secrets {
            self.used(used);
        }
        for counted in &other.days {
            let day = self.day(counted.day);
            day.tokens_issued += counted.tokens_issued;
            day.tokens_refused += counted.tokens_refused;
        }
    }

    /// Subtracts `part`, an earlier state of this usage.
    pub fn subtract(&mut self, part: &Self) {
        for counted in &part.days {
            let day = self.day(counted.day);
            day.tokens_issued -= counted.tokens_issued;
            day.tokens_refused -= counted.tokens_refused;
        }
        self.days
            .retain(|day| day.tokens_issued != 0 || day.tokens_refused != 0);
        self.secrets.retain(|used| !part.secrets.contains(used));
    }

    fn day(&mut self, day: Day) -> &mut DailyUsage {
        let at = self.days.iter().position(|known| known.day == day);
        let at = at.unwrap_or_else(|| {
            push(&mut self.days, DailyUsage::none(day));
            self.days.len() - 1
        });
        &mut self.days[at]
    }
}

/// Pushes without spare capacity: usually a list has one item, and there are many accounts.
fn push<T>(few: &mut Vec<T>, one: T) {
    few.reserve_exact(1);
    few.push(one);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: SecretId = SecretId::from_bytes([1; 16]);
    const MIDNIGHT: i64 = 20_780 * Day::MILLIS;

    #[test]
    fn a_day_begins_at_midnight() {
        let day = |millis| Day::of(Timestamp::from_millis(millis));
        assert_eq!(day(MIDNIGHT), Day::from_number(20_780));
        assert_eq!(day(MIDNIGHT - 1), Day::from_number(20_779));
        assert_eq!(day(-1), Day::from_number(-1));
        assert_eq!(day(MIDNIGHT).start(), Timestamp::from_millis(MIDNIGHT));
        assert_eq!(day(MIDNIGHT).back(2), Day::from_number(20_778));
    }

    #[test]
    fn subtracting_what_was_written_leaves_what_came_later() {
        let at = |millis| Timestamp::from_millis(MIDNIGHT + millis);
        let mut usage = Usage::default();
        usage.issued(SECRET, at(-1));
        usage.refused(at(0));
        let written = usage.clone();
        usage.subtract(&written);
        assert!(usage.is_empty());

        let mut usage = written.clone();
        usage.issued(SECRET, at(1));
        usage.subtract(&written);
        let [used] = usage.secrets[..] else {
            panic!("{usage:?}")
        };
        assert_eq!((used.first_used_at, used.last_used_at), (at(-1), at(1)));
        assert_eq!(
            usage.days,
            [DailyUsage {
                tokens_issued: 1,
                ..DailyUsage::none(Day::of(at(1)))
            }]
        );
    }

    #[test]
    fn the_last_use_does_not_move_back_with_the_clock() {
        let mut usage = Usage::default();
        usage.issued(SECRET, Timestamp::from_millis(50));
        usage.issued(SECRET, Timestamp::from_millis(40));
        assert_eq!(usage.last_used_at(), Some(Timestamp::from_millis(50)));
    }
}
