//! `application/x-www-form-urlencoded`, decoded strictly (RFC 6749 Appendix B).
//!
//! Common decoders keep an invalid escape and replace invalid UTF-8. This one refuses both, because the decoded texts are
//! compared with secrets and scopes.

use std::{borrow::Cow, iter};

use memchr::{memchr, memchr_iter, memchr3};

/// Why a text cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// A `%` without two hexadecimal digits after it.
    Escape,
    /// The decoded text is not valid UTF-8, or contains NUL.
    Text,
}

/// The names and values of a form or query in order, still encoded. Only `&` separates them.
pub(super) fn pairs(encoded: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut begin = 0;
    memchr_iter(b'&', encoded)
        .chain(iter::once(encoded.len()))
        .map(move |end| {
            let pair = &encoded[begin..end];
            begin = end + 1;
            pair
        })
        .filter(|pair| !pair.is_empty())
        .map(|pair| memchr(b'=', pair).map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..])))
}

/// Decodes a name or value: `+` is a space, `%XX` a byte. A text without either is borrowed.
pub(super) fn decode(encoded: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    if is_plain(encoded) {
        let text = std::str::from_utf8(encoded).map_err(|_| Malformed::Text)?;
        return Ok(Cow::Borrowed(text));
    }
    unescape(encoded).map(Cow::Owned)
}

/// Like [`decode`], for a text.
pub(super) fn decode_text(encoded: &str) -> Result<Cow<'_, str>, Malformed> {
    if is_plain(encoded.as_bytes()) {
        return Ok(Cow::Borrowed(encoded));
    }
    unescape(encoded.as_bytes()).map(Cow::Owned)
}

fn is_plain(encoded: &[u8]) -> bool {
    memchr3(b'+', b'%', 0, encoded).is_none()
}

fn unescape(encoded: &[u8]) -> Result<String, Malformed> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    rest.next()
                        .and_then(|&digit| char::from(digit).to_digit(16))
                        .ok_or(Malformed::Escape)
                };
                (digit()? << 4 | digit()?) as u8
            }
            byte => byte,
        });
    }
    if bytes.contains(&0) {
        return Err(Malformed::Text);
    }
    String::from_utf8(bytes).map_err(|_| Malformed::Text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// T15: the example of RFC 6749 Appendix B.
    #[test]
    fn the_example_of_the_standard_decodes() {
        assert_eq!(decode(b"+%25%26%2B%C2%A3%E2%82%AC").unwrap(), " %&+£€");
        assert_eq!(decode(b"%20+%2b%c2%a3").unwrap(), "  +£");
    }

    /// T16: an invalid escape, NUL and invalid UTF-8 are refused.
    #[test]
    fn nothing_is_guessed() {
        for broken in ["%", "%2", "%zz", "%u0041", "a%", "%+1", "%-1"] {
            assert_eq!(
                decode(broken.as_bytes()),
                Err(Malformed::Escape),
                "{broken}"
            );
        }
        assert_eq!(decode(b"%00"), Err(Malformed::Text));
        assert_eq!(decode(b"%ff"), Err(Malformed::Text));
        assert_eq!(decode(b"\xff"), Err(Malformed::Text));
    }

    /// T18: `;` is not a separator.
    #[test]
    fn only_the_ampersand_separates() {
        let pairs = pairs(b"a=1;b=2&&c&d=e=f").collect::<Vec<_>>();
        assert_eq!(
            pairs,
            [(&b"a"[..], &b"1;b=2"[..]), (b"c", b""), (b"d", b"e=f")]
        );
    }

    proptest! {
        #[test]
        fn decoding_reverses_encoding(text in "[^\0]{0,40}") {
            let encoded = text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            prop_assert_eq!(decode(encoded.as_bytes()), Ok(text.into()));
        }

        #[test]
        fn no_input_panics(bytes: Vec<u8>) {
            for (name, value) in pairs(&bytes) {
                let _ = (decode(name), decode(value));
            }
        }
    }
}
