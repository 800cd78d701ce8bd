//! Instants.

use std::fmt;

/// An instant, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The instant `seconds` later.
    pub const fn plus_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds as i64 * 1000))
    }

    /// The instant `days` later, or earlier if `days` is negative.
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(24 * 3600 * 1000)))
    }

    /// Whole seconds since the Unix epoch, the fraction dropped: what `iat` carries (RFC 7519 §4.1.6).
    pub const fn whole_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole minutes since the Unix epoch, the fraction dropped.
    pub const fn whole_minutes(self) -> i64 {
        self.0.div_euclid(60_000)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds: `2026-11-23T12:00:00.000Z`. Beyond the years -9999 to 9999, the number of milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_instant_is_always_written_with_milliseconds() {
        let text = |millis| Timestamp::from_millis(millis).to_string();
        assert_eq!(text(1_795_435_200_000), "2026-11-23T12:00:00.000Z");
        assert_eq!(text(1), "1970-01-01T00:00:00.001Z");
        assert_eq!(text(i64::MAX), i64::MAX.to_string());
    }

    proptest! {
        #[test]
        fn the_text_of_an_instant_is_that_instant(
            millis in jiff::Timestamp::MIN.as_millisecond()..=jiff::Timestamp::MAX.as_millisecond()
        ) {
            let text = Timestamp::from_millis(millis).to_string();
            let instant = text.parse::<jiff::Timestamp>().unwrap();
            prop_assert_eq!(instant.as_millisecond(), millis);
        }
    }
}
