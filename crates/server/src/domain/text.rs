//! Texts that people enter for other people to read: names and descriptions.

/// The name of an account, an organization or a person: one line of 1 to 255 characters (Unicode scalar values) that is not
/// blank. Stored as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// A description: up to 1,024 characters (Unicode scalar values), line breaks and tabs allowed. Stored as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description(String);

/// Why a text is refused. The message names the rule and never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Empty, or white space only.
    #[error("must not be empty or blank")]
    Blank,
    /// More characters than allowed.
    #[error("must be at most {0} characters long")]
    TooLong(usize),
    /// A character that hides, reorders or forges the text that a reader sees.
    #[error(
        "must not contain control characters, bidirectional overrides or isolates, zero-width spaces or byte-order marks"
    )]
    Forbidden,
}

impl Name {
    /// The maximum length, in Unicode scalar values.
    pub const MAX_CHARS: usize = 255;

    /// Checks `text` against the rules of this type.
    pub fn parse(text: String) -> Result<Self, InvalidText> {
        if text.trim().is_empty() {
            return Err(InvalidText::Blank);
        }
        check_line(&text, Self::MAX_CHARS)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Description {
    /// The maximum length, in Unicode scalar values.
    pub const MAX_CHARS: usize = 1024;

    /// Checks `text` against the rules of this type.
    pub fn parse(text: String) -> Result<Self, InvalidText> {
        check(&text, Self::MAX_CHARS, |c| {
            is_deceptive(c) && !matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}')
        })?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks that `text` is one line of 0 to `max_chars` characters (Unicode scalar values).
pub(super) fn check_line(text: &str, max_chars: usize) -> Result<(), InvalidText> {
    check(text, max_chars, is_deceptive)
}

fn check(
    text: &str,
    max_chars: usize,
    forbidden: impl Fn(char) -> bool,
) -> Result<(), InvalidText> {
    if text.len() <= max_chars && is_printable_ascii(text) {
        return Ok(());
    }
    if text.chars().count() > max_chars {
        return Err(InvalidText::TooLong(max_chars));
    }
    if text.chars().any(forbidden) {
        return Err(InvalidText::Forbidden);
    }
    Ok(())
}

/// The common case: no character is forbidden, and each byte is a character.
fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Characters that make a line look like another one. Joiners (U+200C, U+200D) are allowed: scripts and emoji need them.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}' | '\u{feff}'                 // zero-width space, byte-order mark
            | '\u{2028}' | '\u{2029}'               // line and paragraph separator
            | '\u{202a}'..='\u{202e}'               // bidirectional embeddings and overrides
            | '\u{2066}'..='\u{2069}'               // bidirectional isolates
            | '\u{e0000}'..='\u{e001f}' // deprecated language tags
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<Name, InvalidText> {
        Name::parse(text.to_owned())
    }

    #[test]
    fn a_name_is_kept_as_sent() {
        for text in [
            "a",
            " spaced ",
            "Zoë",
            "Zoe\u{308}",
            "👩‍💻",
            "<b>'; --",
            "=1+1",
            "日本語",
        ] {
            assert_eq!(name(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_name_is_counted_in_unicode_scalar_values() {
        assert!(name(&"é".repeat(255)).is_ok());
        assert_eq!(name(&"é".repeat(256)), Err(InvalidText::TooLong(255)));
    }

    #[test]
    fn characters_that_hide_or_forge_text_are_refused() {
        for c in [
            '\0', '\n', '\u{1b}', '\u{7f}', '\u{85}', '\u{200b}', '\u{202e}', '\u{2066}',
            '\u{feff}', '\u{2028}',
        ] {
            assert_eq!(
                name(&format!("a{c}b")),
                Err(InvalidText::Forbidden),
                "{c:?}"
            );
        }
        assert_eq!(name(""), Err(InvalidText::Blank));
        assert_eq!(name(" \u{3000} "), Err(InvalidText::Blank));
    }

    #[test]
    fn a_description_may_have_line_breaks() {
        assert!(Description::parse("one\r\n\ttwo\n".to_owned()).is_ok());
        assert!(Description::parse(String::new()).is_ok());
        assert_eq!(
            Description::parse("bell\u{7}".to_owned()),
            Err(InvalidText::Forbidden)
        );
    }
}
