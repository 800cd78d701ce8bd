//! Labels: key-value tags of an account, for grouping and filtering.

use std::collections::BTreeMap;

use super::text::{InvalidText, check_line};

/// Up to 32 labels. A key is one line of 1 to 63 characters without a colon. A value is one line of 0 to 255 characters.
/// Characters are Unicode scalar values. Keys and values are stored as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<String, String>);

/// One label, written `key:value`. The key ends at the first colon; the value may contain colons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    key: String,
    value: String,
}

/// A change of an account's labels (RFC 7396).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelsPatch {
    /// Removes all labels.
    Clear,
    /// Sets the keys that come with a value and removes those without. Other labels stay.
    Merge(Vec<(String, Option<String>)>),
}

/// Why labels are refused. The message names the rule and never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLabels {
    /// More than [`Labels::MAX`].
    #[error("must be at most {} labels", Labels::MAX)]
    TooMany,
    /// A key breaks a rule for texts.
    #[error("must have valid keys: a key {0}")]
    Key(InvalidText),
    /// A key contains a colon, which separates key and value in `key:value`.
    #[error("must have valid keys: a key must not contain a colon")]
    Colon,
    /// A value breaks a rule for texts.
    #[error("must have valid values: a value {0}")]
    Value(InvalidText),
}

impl Labels {
    /// The maximum number of labels of an account.
    pub const MAX: usize = 32;
    /// The maximum length of a key, in Unicode scalar values.
    pub const MAX_KEY_CHARS: usize = 63;
    /// The maximum length of a value, in Unicode scalar values.
    pub const MAX_VALUE_CHARS: usize = 255;

    /// These labels after `patch`.
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

    /// Whether `label` is one of the labels.
    pub fn contains(&self, label: &Label) -> bool {
        self.0.get(&label.key) == Some(&label.value)
    }

    /// Keys and values, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All labels as one text: `key:value` lines, ordered by key. Unambiguous, since a key contains no colon and neither
    /// part contains a line break.
    pub fn to_text(&self) -> String {
        let lines = self.iter().map(|(key, value)| format!("{key}:{value}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Reads the output of [`Self::to_text`]. `None`: the text is something else.
    pub fn from_text(text: &str) -> Option<Self> {
        let labels = text.split('\n').filter(|line| !line.is_empty());
        labels
            .map(|line| {
                let (key, value) = line.split_once(':')?;
                Some((key.to_owned(), value.to_owned()))
            })
            .collect::<Option<_>>()
            .map(Self)
    }
}

impl Label {
    /// Reads `key:value`. `None`: the text is no valid label.
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
    fn a_patch_sets_and_removes_labels_and_leaves_the_rest() {
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
    fn a_label_that_breaks_a_rule_is_refused() {
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
        fn labels_survive_the_round_trip_through_text(pairs in prop::collection::vec((".{1,8}", ".{0,8}"), 0..8)) {
            let labels = pairs.iter().fold(Labels::default(), |labels, (key, value)| {
                set(&labels, key, value).unwrap_or(labels)
            });
            prop_assert_eq!(Labels::from_text(&labels.to_text()), Some(labels));
        }
    }
}
