//! Two operations on text, faster than those of the libraries because they test many bytes at a time.

/// Whether `is_allowed` holds for every byte. Does not stop at the first byte that fails, so the compiler tests many at a time: 0.1 µs
/// for a bearer token, where `Iterator::all` takes 1 percent of a request.
pub(crate) fn all_bytes(bytes: &[u8], is_allowed: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, &byte| all & is_allowed(byte))
}

/// Appends `text` to `json` as a JSON string. Copies a text without characters to escape, and leaves any other to serde_json.
pub(crate) fn push_json_text(json: &mut String, text: &str) {
    if all_bytes(text.as_bytes(), |byte| {
        byte >= b' ' && byte != b'"' && byte != b'\\'
    }) {
        json.extend(["\"", text, "\""]);
    } else {
        json.push_str(&serde_json::to_string(text).expect("a text is JSON"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_string_is_escaped_as_serde_json_does() {
        for text in ["", "plain", "\"", "a\\b", "\u{1f}", "\u{7f}", "é\n"] {
            let mut json = String::new();
            push_json_text(&mut json, text);
            assert_eq!(json, serde_json::to_string(text).unwrap(), "{text:?}");
        }
    }
}
