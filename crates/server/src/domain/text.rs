//! Text that people write and other people read back.

/// What something or somebody is called, an account, an organization, an account's owner: one line, 1 to 255 characters
/// (Unicode scalar values), kept exactly as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// A description: up to 1,024 characters (Unicode scalar values), line breaks and tabs allowed, kept exactly as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description(String);

/// Why a text is refused. The message names the rule, never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing, or nothing but white space.
    #[error("must not be empty or blank")]
    Blank,
    /// More characters than allowed.
    #[error("must be at most {0} characters long")]
    TooLong(usize),
    /// A character that hides, reorders or forges what a reader sees.
    #[error(
        "must not contain control characters, bidirectional overrides or isolates, zero-width spaces or byte-order marks"
    )]
    Forbidden,
}

impl Name {
    /// The greatest length, in Unicode scalar values.
    pub const MAX_CHARS: usize = 255;

    /// Checks `text` against the rules above.
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
    /// The greatest length, in Unicode scalar values.
    pub const MAX_CHARS: usize = 1024;

    /// Checks `text` against the rules above.
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

/// Whether `text` is one line of at most so many characters (Unicode scalar values), perhaps none.
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

/// Whether each byte is a character, and none is forbidden: so it is with most texts.
fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Characters that make a line look like something else. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
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
    fn a_name_comes_back_exactly_as_sent() {
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
    fn what_hides_or_forges_is_refused() {
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
    fn a_description_may_have_lines() {
        assert!(Description::parse("one\r\n\ttwo\n".to_owned()).is_ok());
        assert!(Description::parse(String::new()).is_ok());
        assert_eq!(
            Description::parse("bell\u{7}".to_owned()),
            Err(InvalidText::Forbidden)
        );
    }
}
