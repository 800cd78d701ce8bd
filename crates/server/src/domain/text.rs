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
        "must not contain control characters, invisible characters or characters that change the direction of text"
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

    /// A text from the database. It was checked when it was stored, perhaps by fewer rules than today's.
    pub(crate) const fn stored(text: String) -> Self {
        Self(text)
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

    /// A text from the database. It was checked when it was stored, perhaps by fewer rules than today's.
    pub(crate) const fn stored(text: String) -> Self {
        Self(text)
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
    // The tags that may still follow: those of the flags of England, Scotland, Wales and their like.
    let mut tags_left = 0;
    for c in text.chars() {
        match c {
            '\u{1f3f4}' => tags_left = MAX_FLAG_TAGS,
            '\u{e0030}'..='\u{e007f}' if tags_left > 0 => tags_left -= 1,
            _ if forbidden(c) => return Err(InvalidText::Forbidden),
            _ => tags_left = 0,
        }
    }
    Ok(())
}

/// A black flag with five tags and the end of tags is the flag of a region (Unicode Technical Standard 51, "emoji tag sequence").
const MAX_FLAG_TAGS: u8 = 6;

/// The common case: no character is forbidden, and each byte is a character.
fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Characters that make a line look like another one: control characters, and what Unicode calls ignorable by default, which
/// nobody sees. Two kinds of the latter are allowed, because scripts and emoji need them: joiners (U+200C, U+200D) and variation
/// selectors (U+FE00 to U+FE0F). Tags are allowed in the flag of a region only.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}'      // soft hyphen, grapheme joiner, Arabic letter mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{17b4}' | '\u{17b5}'             // Khmer inherent vowels
            | '\u{180b}'..='\u{180f}'             // Mongolian selectors
            | '\u{200b}' | '\u{200e}' | '\u{200f}' // zero-width space, directional marks
            | '\u{2028}'..='\u{202e}'             // separators of lines, bidirectional embeddings and overrides
            | '\u{2060}'..='\u{206f}'             // word joiner, invisible operators, bidirectional isolates
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}' // byte-order mark, annotations
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' // controls of shorthand and music
            | '\u{e0000}'..='\u{e0fff}' // tags and further selectors
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
            "❤\u{fe0f}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
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
            '\0',
            '\n',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{200b}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{2028}',
            '\u{ad}',
            '\u{61c}',
            '\u{200f}',
            '\u{2060}',
            '\u{3164}',
            '\u{ffa0}',
            '\u{e0041}',
        ] {
            assert_eq!(
                name(&format!("a{c}b")),
                Err(InvalidText::Forbidden),
                "{c:?}"
            );
        }
        let hidden = "\u{e0061}".repeat(7);
        assert_eq!(name(&format!("🏴{hidden}")), Err(InvalidText::Forbidden));
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
