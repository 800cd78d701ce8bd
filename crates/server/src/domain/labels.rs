//! Labels: what people sort accounts by.

use std::collections::BTreeMap;

use super::text::{InvalidText, check_line};

/// Up to 32 labels, each a key with a value. A key is one line of 1 to 63 characters without a colon, a value one line of up
/// to 255, perhaps empty (Unicode scalar values, both kept exactly as sent).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<String, String>);

/// One label, written `key:value`. The key ends at the first colon; the value may have more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    key: String,
    value: String,
}

/// What is to change of an account's labels (RFC 7396).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelsPatch {
    /// They are all taken away.
    Clear,
    /// These are set; those without a value are taken away.
    Merge(Vec<(String, Option<String>)>),
}

/// Why labels are refused. The message names the rule and never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLabels {
    /// More than there may be.
    #[error("must be at most {} labels", Labels::MAX)]
    TooMany,
    /// A key is against the rules.
    #[error("must have keys of one line, without colons, that are not blank: a key {0}")]
    Key(InvalidText),
    /// A key has a colon, which is where the key ends in `key:value`.
    #[error("must have keys without colons")]
    Colon,
    /// A value is against the rules.
    #[error("must have values of one line: a value {0}")]
    Value(InvalidText),
}

impl Labels {
    /// How many an account may have.
    pub const MAX: usize = 32;
    /// The greatest length of a key, in Unicode scalar values.
    pub const MAX_KEY_CHARS: usize = 63;
    /// The greatest length of a value, in Unicode scalar values.
    pub const MAX_VALUE_CHARS: usize = 255;

    /// These labels as `patch` changes them.
    pub fn patched(&self, patch: &LabelsPatch) -> Result<Self, InvalidLabels> {
        let LabelsPatch::Merge(changes) = patch else {
            return Ok(Self::default());
        };
        let mut labels = self.0.clone();
        for (key, value) in changes {
            match value {
                None => drop(labels.remove(key)),
                Some(value) => {
                    let label = Label::new(key.clone(), value.clone())?;
                    labels.insert(label.key, label.value);
                }
            }
        }
        if labels.len() > Self::MAX {
            return Err(InvalidLabels::TooMany);
        }
        Ok(Self(labels))
    }

    /// Whether `label` is among them.
    pub fn contains(&self, label: &Label) -> bool {
        self.0.get(&label.key) == Some(&label.value)
    }

    /// Keys and values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them as one text: `key:value` lines in the order of the keys. What is allowed in a label makes it unambiguous.
    pub fn to_text(&self) -> String {
        let lines = self.iter().map(|(key, value)| format!("{key}:{value}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Reads what [`Self::to_text`] wrote. `None` for anything else.
    pub fn from_text(text: &str) -> Option<Self> {
        let labels = text.split('\n').filter(|line| !line.is_empty());
        labels
            .map(|line| Label::parse(line).map(|label| (label.key, label.value)))
            .collect::<Option<_>>()
            .map(Self)
    }
}

impl Label {
    /// Reads `key:value`. `None`: it is no label.
    pub fn parse(text: &str) -> Option<Self> {
        let (key, value) = text.split_once(':')?;
        Self::new(key.to_owned(), value.to_owned()).ok()
    }

    fn new(key: String, value: String) -> Result<Self, InvalidLabels> {
        if key.contains(':') {
            return Err(InvalidLabels::Colon);
        }
        if key.trim().is_empty() {
            return Err(InvalidLabels::Key(InvalidText::Blank));
        }
        check_line(&key, Labels::MAX_KEY_CHARS).map_err(InvalidLabels::Key)?;
        check_line(&value, Labels::MAX_VALUE_CHARS).map_err(InvalidLabels::Value)?;
        Ok(Self { key, value })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(labels: &Labels, key: &str, value: &str) -> Result<Labels, InvalidLabels> {
        labels.patched(&LabelsPatch::Merge(vec![(
            key.to_owned(),
            Some(value.to_owned()),
        )]))
    }

    #[test]
    fn a_patch_sets_takes_away_and_leaves() {
        let none = Labels::default();
        let labels = set(&set(&none, "env", "prod").unwrap(), "team", "core").unwrap();
        let patch = LabelsPatch::Merge(vec![
            ("env".to_owned(), None),
            ("tier".to_owned(), Some("1:a".to_owned())),
            ("absent".to_owned(), None),
        ]);
        let patched = labels.patched(&patch).unwrap();
        assert_eq!(patched.to_text(), "team:core\ntier:1:a");
        assert_eq!(labels.patched(&LabelsPatch::Clear), Ok(none));
    }

    #[test]
    fn what_breaks_a_rule_is_refused() {
        let none = Labels::default();
        assert!(set(&none, &"k".repeat(63), &"v".repeat(255)).is_ok());
        assert!(set(&none, "k", "").is_ok());
        let too_long = InvalidText::TooLong;
        for (key, value, error) in [
            ("", "v", InvalidLabels::Key(InvalidText::Blank)),
            (" ", "v", InvalidLabels::Key(InvalidText::Blank)),
            ("a:b", "v", InvalidLabels::Colon),
            ("a\nb", "v", InvalidLabels::Key(InvalidText::Forbidden)),
            ("a", "b\nc", InvalidLabels::Value(InvalidText::Forbidden)),
            (&"k".repeat(64), "v", InvalidLabels::Key(too_long(63))),
            ("k", &"v".repeat(256), InvalidLabels::Value(too_long(255))),
        ] {
            assert_eq!(set(&none, key, value), Err(error), "{key:?} {value:?}");
        }
        let full = (0..32).fold(none, |labels, n| set(&labels, &n.to_string(), "v").unwrap());
        assert_eq!(set(&full, "one more", "v"), Err(InvalidLabels::TooMany));
        assert!(set(&full, "31", "another value").is_ok());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(pairs in prop::collection::vec((".{1,8}", ".{0,8}"), 0..8)) {
            let labels = pairs.iter().fold(Labels::default(), |labels, (key, value)| {
                set(&labels, key, value).unwrap_or(labels)
            });
            prop_assert_eq!(Labels::from_text(&labels.to_text()), Some(labels));
        }
    }
}
