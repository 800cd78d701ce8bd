//! Parsers for the values of flags.

/// A duration in seconds: `90`, `90s`, `15m`, `24h` or `7d`.
pub(crate) fn seconds(text: &str) -> Result<u32, &'static str> {
    const MESSAGE: &str = "expected a duration such as 90s, 15m, 24h or 7d";
    let (number, unit) = match text.find(|digit: char| !digit.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return Err(MESSAGE),
    };
    let number = number.parse::<u32>().map_err(|_| MESSAGE)?;
    number.checked_mul(unit).ok_or("the duration is too long")
}

/// A label, `KEY:VALUE`. The key ends at the first colon.
pub(crate) fn label(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once(':').ok_or("expected KEY:VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The ID of a service account. Also accepts its client ID, which is `sa_` and the ID.
pub(crate) fn account_id(text: &str) -> Result<String, &'static str> {
    let id = text.strip_prefix("sa_").unwrap_or(text);
    let is_id = id.len() == 36
        && id
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    if is_id {
        Ok(id.to_owned())
    } else {
        Err(
            "expected the ID of a service account, a lowercase UUID; `prokura service-accounts list` shows it",
        )
    }
}

/// Splits each value at spaces.
pub(crate) fn scopes(given: &[String]) -> Vec<String> {
    let scopes = given.iter().flat_map(|text| text.split_ascii_whitespace());
    scopes.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        for (text, expected) in [
            ("90", 90),
            ("90s", 90),
            ("15m", 900),
            ("24h", 86_400),
            ("7d", 604_800),
            ("0", 0),
        ] {
            assert_eq!(seconds(text), Ok(expected));
        }
        for text in [
            "",
            "h",
            "1w",
            "1h30m",
            "-1",
            "1.5h",
            "99999999999",
            "50000d",
            " 1",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_label_has_a_key_and_a_value() {
        let pair = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(label("a:b:c"), pair("a", "b:c"));
        assert_eq!(label("a:"), pair("a", ""));
        assert!(label("a").is_err());
    }

    #[test]
    fn a_client_id_is_accepted_as_an_id() {
        let id = "01a20a5c-479d-7000-ac5a-31f33777c2dc";
        assert_eq!(account_id(id).as_deref(), Ok(id));
        assert_eq!(account_id(&format!("sa_{id}")).as_deref(), Ok(id));
        for text in [
            "",
            "CI Pipeline",
            "01A20A5C-479D-7000-AC5A-31F33777C2DC",
            "../x",
        ] {
            assert!(account_id(text).is_err(), "{text}");
        }
    }
}
