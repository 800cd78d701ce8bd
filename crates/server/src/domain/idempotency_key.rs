//! Idempotency keys: the names that clients give to requests, by which the server recognizes a repeat.

use std::fmt;

use zeroize::Zeroizing;

/// The name of one request (draft-ietf-httpapi-idempotency-key-header): 1 to 255 characters of printable ASCII. It decrypts
/// the recorded response, so `Debug` hides it and the memory is wiped on drop.
#[derive(Clone)]
pub struct IdempotencyKey(Zeroizing<String>);

impl IdempotencyKey {
    /// The maximum length, in characters.
    pub const MAX_CHARS: usize = 255;

    /// Parses a key. `None`: the text is empty, too long or not printable ASCII.
    pub fn parse(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        let is_key = (1..=Self::MAX_CHARS).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        is_key.then_some(Self(text))
    }

    /// The clear text, from which keys are derived.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<IdempotencyKey> {
        IdempotencyKey::parse(text.to_owned())
    }

    #[test]
    fn a_key_has_1_to_255_printable_characters() {
        for text in ["a", " ", "\"\\~", &"k".repeat(255)] {
            assert_eq!(parse(text).unwrap().expose(), text);
        }
        for text in ["", &"k".repeat(256), "a\n", "\u{7f}", "\u{e9}"] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_key_is_hidden_in_debug_output() {
        assert_eq!(
            format!("{:?}", parse("8e03").unwrap()),
            "IdempotencyKey(..)"
        );
    }
}
