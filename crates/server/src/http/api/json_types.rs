//! Readers of single JSON values, and why a value is refused.

use std::{borrow::Cow, ops::RangeInclusive};

use serde_json::Value;

/// Why the value of a member is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is of another type or out of range. Holds what it must be, such as `a string`.
    Not(Cow<'static, str>),
    /// It breaks a rule. Holds the message.
    Rule(String),
}

impl<E: std::error::Error> From<E> for Wrong {
    fn from(error: E) -> Self {
        Self::Rule(error.to_string())
    }
}

/// Reads a string.
pub(super) fn string(value: Value) -> Result<String, Wrong> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(Wrong::Not("a string".into())),
    }
}

/// Reads an array of strings.
pub(super) fn strings(value: Value) -> Result<Vec<String>, Wrong> {
    let Value::Array(values) = value else {
        return Err(Wrong::Not("an array of strings".into()));
    };
    let strings = values.into_iter().map(string).collect::<Result<_, _>>();
    strings.map_err(|_| Wrong::Not("an array of strings".into()))
}

/// Reads true or false.
pub(super) fn boolean(value: Value) -> Result<bool, Wrong> {
    value
        .as_bool()
        .ok_or_else(|| Wrong::Not("true or false".into()))
}

/// Reads a whole number within `range`.
pub(super) fn number(range: RangeInclusive<u32>) -> impl FnOnce(Value) -> Result<u32, Wrong> {
    move |value| {
        let number = value.as_u64().and_then(|number| number.try_into().ok());
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (least, most) = range.into_inner();
                Wrong::Not(format!("a whole number from {least} to {most}").into())
            })
    }
}
