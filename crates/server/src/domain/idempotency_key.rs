//! Idempotency keys: by which a client names a request, so that a repeat of it is recognised.

use std::fmt;

use zeroize::Zeroizing;

/// What a client calls one request of his (draft-ietf-httpapi-idempotency-key-header): 1 to 255 characters of printable
/// ASCII. What is kept of the request's answer opens only with it, so it does not print and is wiped when dropped.
#[derive(Clone)]
pub struct IdempotencyKey(Zeroizing<String>);

impl IdempotencyKey {
    /// The greatest length, in characters.
    pub const MAX_CHARS: usize = 255;

    /// `None`: the text is empty, too long, or not all printable ASCII.
    pub fn parse(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        let is_key = (1..=Self::MAX_CHARS).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        is_key.then_some(Self(text))
    }

    /// The text in clear: for what is derived from it.
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
    fn a_key_does_not_print() {
        assert_eq!(
            format!("{:?}", parse("8e03").unwrap()),
            "IdempotencyKey(..)"
        );
    }
}
