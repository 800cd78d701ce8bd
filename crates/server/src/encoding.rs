//! base64, and texts in JSON, as fast as they can be had: every token is made of them.
//!
//! base64 is done by whatever instructions the processor has for it.

use std::mem;

use base64::Engine as _;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use fast::{BASE64, BASE64_URL};
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use plain::{BASE64, BASE64_URL};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod fast {
    use std::sync::LazyLock;

    use base64::engine::{
        Simd,
        general_purpose::{NO_PAD, PAD},
    };

    /// RFC 4648 §4, with padding.
    pub(crate) static BASE64: LazyLock<Simd> = LazyLock::new(|| Simd::standard(PAD));
    /// RFC 4648 §5, without padding.
    pub(crate) static BASE64_URL: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod plain {
    use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE_NO_PAD};

    /// RFC 4648 §4, with padding.
    pub(crate) static BASE64: GeneralPurpose = STANDARD;
    /// RFC 4648 §5, without padding.
    pub(crate) static BASE64_URL: GeneralPurpose = URL_SAFE_NO_PAD;
}

/// `bytes` in base64url, behind what `text` has already.
pub(crate) fn push_base64_url(text: &mut String, bytes: &[u8]) {
    let mut whole = mem::take(text).into_bytes();
    let begin = whole.len();
    // Three bytes are four characters, and one or two that are left over a character more than they are.
    whole.resize(begin + (bytes.len() * 4).div_ceil(3), 0);
    BASE64_URL
        .encode_slice(bytes, &mut whole[begin..])
        .expect("there is room for all of it");
    *text = String::from_utf8(whole).expect("base64 is ASCII");
}

/// `text` as JSON writes it, with its quotes, behind what `json` has already.
pub(crate) fn push_json_text(json: &mut String, text: &str) {
    // `&` and not `&&`: many bytes are then looked at together.
    let is_plain = text.bytes().fold(true, |all, byte| {
        all & (byte >= b' ') & (byte != b'"') & (byte != b'\\')
    });
    if is_plain {
        json.extend(["\"", text, "\""]);
    } else {
        json.push_str(&serde_json::to_string(text).expect("a text is JSON"));
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_json_escapes_is_escaped() {
        for text in ["", "plain", "\"", "a\\b", "\u{1f}", "\u{7f}", "é\n"] {
            let json = serde_json::to_string(text).unwrap();
            let mut pushed = String::new();
            push_json_text(&mut pushed, text);
            assert_eq!(pushed, json, "{text:?}");
        }
    }

    proptest! {
        /// Whatever the length, for the wide instructions are for what is long.
        #[test]
        fn base64_is_that_of_the_plain_engines(bytes in prop::collection::vec(any::<u8>(), 0..600), at: usize, other: u8) {
            let mut text = String::from("é");
            push_base64_url(&mut text, &bytes);
            let text = text.split_off("é".len());
            prop_assert_eq!(&text, &BASE64_URL_SAFE_NO_PAD.encode(&bytes));
            prop_assert_eq!(BASE64.encode(&bytes), BASE64_STANDARD.encode(&bytes));
            let mut altered = text.into_bytes();
            prop_assert_eq!(BASE64_URL.decode(&altered).unwrap(), bytes);
            if !altered.is_empty() {
                let at = at % altered.len();
                altered[at] = other;
                prop_assert_eq!(BASE64_URL.decode(&altered), BASE64_URL_SAFE_NO_PAD.decode(&altered));
                prop_assert_eq!(BASE64.decode(&altered), BASE64_STANDARD.decode(&altered));
            }
        }
    }
}
