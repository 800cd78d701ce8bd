//! The parameters of a query, read as strictly as the members of a JSON body: an unknown, repeated, empty or malformed
//! parameter is refused by name.

use std::ops::RangeInclusive;

use super::error::ApiError;
use crate::{
    domain::{ServiceAccountId, Timestamp},
    http::form,
};

/// The items of a page if `limit` is not given.
const DEFAULT_LIMIT: usize = 50;
/// The one parameter that may be repeated.
const REPEATABLE: &str = "label";
/// The most items of a page.
const MAX_LIMIT: u32 = 200;

/// The decoded parameters. Their values are not checked yet.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query that may have parameters of these names and no others. Only `label` may be repeated.
    pub(super) fn read(query: Option<&str>, names: &[&str]) -> Result<Self, ApiError> {
        let mut found = Vec::<(String, String)>::new();
        for (name, value) in form::pairs(query.unwrap_or_default().as_bytes()) {
            let name = form::decode(name).unwrap_or_default();
            if !names.contains(&&*name) {
                let name = name.chars().take(64).collect::<String>();
                return Err(ApiError::field(
                    &name,
                    "is not a parameter of this operation",
                ));
            }
            if name != REPEATABLE && found.iter().any(|(known, _)| *known == name) {
                return Err(ApiError::field(&name, "is given more than once"));
            }
            // A value that cannot be decoded becomes empty, and `take_all` refuses empty values.
            let value = form::decode(value).unwrap_or_default();
            found.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(found))
    }

    /// Whether the query has the parameter `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The value of the parameter `name`. `None`: the query does not have it. `expected` is the error message if `parse` returns
    /// `None`.
    pub(super) fn take<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let mut values = self.take_all(name, expected, parse)?;
        Ok(values.pop())
    }

    /// Every value of the parameter `name`, like [`take`](Self::take).
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

    /// A whole number within these bounds.
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

    /// `limit`: the items of a page.
    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        let limit = self.number("limit", 1..=MAX_LIMIT)?;
        Ok(limit.map_or(DEFAULT_LIMIT, |limit| limit as usize))
    }

    /// `cursor`: where the page begins. `None`: at the beginning of the list.
    pub(super) fn cursor(&self) -> Result<Option<String>, ApiError> {
        self.take("cursor", "must not be empty", |value| {
            Some(value.to_owned())
        })
    }

    /// The id of a service account.
    pub(super) fn service_account(&self, name: &str) -> Result<Option<ServiceAccountId>, ApiError> {
        self.take(
            name,
            "must be the account's id, a UUID in lower case with hyphens (not its client id)",
            ServiceAccountId::parse,
        )
    }

    /// An instant (RFC 3339).
    pub(super) fn instant(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.take(
            name,
            "must be an RFC 3339 time such as 2026-11-23T12:00:00Z; in a URL, write + as %2B",
            Timestamp::parse_rfc3339,
        )
    }
}
