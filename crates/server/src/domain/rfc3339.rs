//! Parses instants as RFC 3339 writes them.

use super::timestamp::Timestamp;

impl Timestamp {
    /// Parses an instant, rounded up to the next millisecond: Prokura's own instants are whole milliseconds, so a bound compares
    /// with them the same before and after rounding. `None`: `text` is not an RFC 3339 §5.6 date-time.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let (date_time, rest) = text.split_at_checked(19)?;
        let is_date_time = date_time
            .bytes()
            .zip(b"0000-00-00T00:00:00")
            .all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                _ => byte.eq_ignore_ascii_case(shape),
            });
        let offset = match rest.strip_prefix('.') {
            Some(fraction) => {
                let offset = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
                (offset.len() < fraction.len()).then_some(offset)?
            }
            None => rest,
        };
        let is_offset = match offset.as_bytes() {
            [b'Z' | b'z'] => true,
            [b'+' | b'-', hours @ .., b':', tens, ones] if hours.len() == 2 => {
                hours.iter().chain([tens, ones]).all(u8::is_ascii_digit)
            }
            _ => false,
        };
        if !is_date_time || !is_offset {
            return None;
        }
        let round = jiff::TimestampRound::new()
            .smallest(jiff::Unit::Millisecond)
            .mode(jiff::RoundMode::Ceil);
        let instant = text.parse::<jiff::Timestamp>().ok()?.round(round).ok()?;
        Some(Self::from_millis(instant.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_instants_of_the_standard_are_parsed() {
        let millis = |text| Timestamp::parse_rfc3339(text).map(Timestamp::as_millis);
        let noon = 1_795_435_200_000;
        for (text, after_noon) in [
            ("2026-11-23T12:00:00Z", 0),
            ("2026-11-23t12:00:00z", 0),
            ("2026-11-23T13:00:00+01:00", 0),
            ("2026-11-23T12:00:00-00:00", 0),
            ("2026-11-23T12:00:00.001Z", 1),
            ("2026-11-23T12:00:00.000000001Z", 1),
            ("2026-11-23T12:00:00.5Z", 500),
        ] {
            assert_eq!(millis(text), Some(noon + after_noon), "{text}");
        }
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T12:00:00",
            "2026-11-23 12:00:00Z",
            "2026-11-23T12:00Z",
            "2026-11-23T12:00:00.Z",
            "2026-11-23T12:00:00,5Z",
            "2026-11-23T12:00:00+01",
            "2026-11-23T12:00:00+0100",
            "2026-11-23T12:00:00Z[UTC]",
            "2026-13-23T12:00:00Z",
            "2026-02-30T12:00:00Z",
            "2026-11-23T25:00:00Z",
            "1795435200000",
            "2026-11-23T12:00:0\u{661}Z",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}
