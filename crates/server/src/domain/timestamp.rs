//! An instant, as everything of ours writes it down.

use std::fmt;

use jiff::tz::Offset;

/// Milliseconds since the Unix epoch.
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

    /// The instant so many seconds later.
    pub const fn plus_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds as i64 * 1000))
    }

    /// The instant so many days later, or earlier if there are fewer than none.
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(24 * 3600 * 1000)))
    }

    /// Whole seconds since the Unix epoch, the fraction dropped: what `iat` carries (RFC 7519 §4.1.6).
    pub const fn whole_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole minutes since the Unix epoch: which minute it is in.
    pub const fn whole_minutes(self) -> i64 {
        self.0.div_euclid(60_000)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds: `2026-11-23T12:00:00.000Z`. Beyond the years that this can write, milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(instant) = jiff::Timestamp::from_millisecond(self.0) else {
            return self.0.fmt(f);
        };
        let date = Offset::UTC.to_datetime(instant);
        if date.year() < 0 {
            return write!(f, "{instant:.3}");
        }
        // Every account has three of these; jiff, which can write much else, takes three times as long.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        for (place, number) in [
            (0..4, date.year()),
            (5..7, date.month().into()),
            (8..10, date.day().into()),
            (11..13, date.hour().into()),
            (14..16, date.minute().into()),
            (17..19, date.second().into()),
            (20..23, date.millisecond()),
        ] {
            let mut rest = number;
            for digit in text[place].iter_mut().rev() {
                *digit += (rest % 10) as u8;
                rest /= 10;
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_instant_is_written_with_milliseconds_always() {
        let text = |millis| Timestamp::from_millis(millis).to_string();
        assert_eq!(text(1_795_435_200_000), "2026-11-23T12:00:00.000Z");
        assert_eq!(text(1), "1970-01-01T00:00:00.001Z");
        assert_eq!(text(i64::MAX), i64::MAX.to_string());
    }

    proptest! {
        #[test]
        fn it_is_written_as_jiff_writes_it(
            millis in jiff::Timestamp::MIN.as_millisecond()..=jiff::Timestamp::MAX.as_millisecond()
        ) {
            let instant = jiff::Timestamp::from_millisecond(millis).unwrap();
            prop_assert_eq!(Timestamp::from_millis(millis).to_string(), format!("{instant:.3}"));
        }
    }
}
