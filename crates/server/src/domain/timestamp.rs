//! An instant, as everything of ours writes it down.

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

    /// Whole seconds since the Unix epoch, the fraction dropped: what `iat` carries (RFC 7519 §4.1.6).
    pub const fn whole_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole minutes since the Unix epoch: which minute it is in.
    pub const fn whole_minutes(self) -> i64 {
        self.0.div_euclid(60_000)
    }

    /// Whole seconds since the Unix epoch, a begun second counted: the earliest `exp` that promises no less
    /// than was said in `expires_in`.
    pub const fn whole_seconds_up(self) -> i64 {
        self.0.saturating_add(999).div_euclid(1000)
    }
}
