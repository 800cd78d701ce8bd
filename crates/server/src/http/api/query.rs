//! The parameters of a query, as strictly as the members of a body: what is wrong, repeated, empty or unknown is named.

use std::ops::RangeInclusive;

use super::ApiError;
use crate::{
    domain::{ServiceAccountId, Timestamp},
    http::form,
};

/// How many items a page has unless it is said.
const DEFAULT_LIMIT: usize = 50;
/// The parameter that may be given more than once.
const REPEATABLE: &str = "label";
/// How many items a page may have.
const MAX_LIMIT: u32 = 200;

/// What is asked for: each parameter at most once, decoded, not yet judged.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query in which there may be parameters of these names and no others, `label` more than once.
    pub(super) fn read(query: Option<&str>, names: &[&str]) -> Result<Self, ApiError> {
        let mut found = Vec::<(String, String)>::new();
        for (name, value) in form::pairs(query.unwrap_or_default().as_bytes()) {
            let name = form::decode(name).unwrap_or_default();
            if !names.contains(&&*name) {
                let name = name.chars().take(64).collect::<String>();
                return Err(ApiError::field(&name, "is not a parameter here"));
            }
            if name != REPEATABLE && found.iter().any(|(known, _)| *known == name) {
                return Err(ApiError::field(&name, "is given more than once"));
            }
            // What cannot be decoded is no value of any parameter, and neither is nothing.
            let value = form::decode(value).unwrap_or_default();
            found.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(found))
    }

    /// Whether the parameter `name` is given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The parameter `name`, as `parse` reads it. `None`: it is not given.
    pub(super) fn take<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let mut values = self.take_all(name, expected, parse)?;
        Ok(values.pop())
    }

    /// Every value of the parameter `name`, as `parse` reads it.
    pub(super) fn take_all<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, ApiError> {
        let given = self.0.iter().filter(|(known, _)| known == name);
        given
            .map(|(_, value)| match parse(value) {
                Some(parsed) if !value.is_empty() => Ok(parsed),
                _ => Err(ApiError::field(name, expected)),
            })
            .collect()
    }

    /// A number within these bounds.
    pub(super) fn number(
        &self,
        name: &str,
        bounds: RangeInclusive<u32>,
    ) -> Result<Option<u32>, ApiError> {
        let expected = format!(
            "must be a number from {} to {}",
            bounds.start(),
            bounds.end()
        );
        self.take(name, &expected, |value| {
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
            let number = is_number.then(|| value.parse().ok()).flatten();
            number.filter(|number| bounds.contains(number))
        })
    }

    /// How many items a page is to have.
    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        let limit = self.number("limit", 1..=MAX_LIMIT)?;
        Ok(limit.map_or(DEFAULT_LIMIT, |limit| limit as usize))
    }

    /// Where the page is to begin.
    pub(super) fn cursor(&self) -> Result<Option<String>, ApiError> {
        self.take("cursor", "must not be empty", |value| {
            Some(value.to_owned())
        })
    }

    /// A service account.
    pub(super) fn service_account(&self, name: &str) -> Result<Option<ServiceAccountId>, ApiError> {
        self.take(
            name,
            "must be the account's id, a UUID in lower case with hyphens (not its client id)",
            ServiceAccountId::parse,
        )
    }

    /// An instant.
    pub(super) fn instant(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.take(
            name,
            "must be an RFC 3339 instant such as 2026-11-23T12:00:00Z, its + written %2B",
            instant,
        )
    }
}

/// Reads an instant (RFC 3339 §5.6). A begun millisecond counts as whole: nothing of ours lies within one.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let is_date_time =
        date_time
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
    Some(Timestamp::from_millis(instant.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_one_of_the_standard() {
        let millis = |text| instant(text).map(Timestamp::as_millis);
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
