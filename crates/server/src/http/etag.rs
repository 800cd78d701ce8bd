//! Entity tags (RFC 9110 §8.8.3) and the conditions that contain them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The condition is neither `*` nor a list of entity tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The value of a condition.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition<'h> {
    /// `*`: any state of the resource.
    Any,
    /// For each tag, the text between its quotes and whether it is weak.
    Tags(Vec<(&'h str, bool)>),
}

/// The strong tag with this text. The text must consist of characters that are allowed in a tag.
pub(super) fn tag(text: &str) -> HeaderValue {
    HeaderValue::try_from(["\"", text, "\""].concat())
        .expect("the text of a tag is valid in a header")
}

/// Whether `If-None-Match` contains the tag with this text, weak or strong (RFC 9110 §13.1.2).
pub(super) fn is_known(headers: &HeaderMap, text: &str) -> bool {
    match condition(headers, &header::IF_NONE_MATCH) {
        Ok(Some(Condition::Any)) => true,
        Ok(Some(Condition::Tags(tags))) => tags.iter().any(|(known, _)| *known == text),
        // A malformed condition counts as no condition.
        Ok(None) | Err(Malformed) => false,
    }
}

/// Reads the condition in the header `name`. `None`: the header is absent.
pub(super) fn condition<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<Condition<'h>>, Malformed> {
    let mut values = headers.get_all(name).iter().peekable();
    if values.peek().is_none() {
        return Ok(None);
    }
    let values = values
        .map(|value| value.to_str().map_err(|_| Malformed))
        .collect::<Result<Vec<_>, _>>()?;
    if let [value] = &*values
        && value.trim() == "*"
    {
        return Ok(Some(Condition::Any));
    }
    let mut tags = Vec::new();
    for value in values {
        let mut rest = value.trim();
        while !rest.is_empty() {
            let (tag, behind) = read_tag(rest)?;
            tags.push(tag);
            let behind = behind.trim_start();
            rest = match behind.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if behind.is_empty() => behind,
                None => return Err(Malformed),
            };
        }
    }
    if tags.is_empty() {
        return Err(Malformed);
    }
    Ok(Some(Condition::Tags(tags)))
}

/// Reads one tag and returns it with the rest: `entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE`. A tag may contain commas.
fn read_tag(text: &str) -> Result<((&str, bool), &str), Malformed> {
    let (text, is_weak) = match text.strip_prefix("W/") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (tag, behind) = text
        .strip_prefix('"')
        .and_then(|text| text.split_once('"'))
        .ok_or(Malformed)?;
    let is_tag = tag.bytes().all(|byte| byte == 0x21 || byte >= 0x23);
    is_tag.then_some(((tag, is_weak), behind)).ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, HeaderValue::from_static(value));
        }
        format!("{:?}", condition(&headers, &header::IF_MATCH))
    }

    #[test]
    fn a_condition_is_a_star_or_a_list_of_tags() {
        assert_eq!(read(&[]), "Ok(None)");
        assert_eq!(read(&["*"]), "Ok(Some(Any))");
        let tags = |tags: &str| format!("Ok(Some(Tags([{tags}])))");
        assert_eq!(read(&[r#""a""#]), tags(r#"("a", false)"#));
        assert_eq!(
            read(&[r#" "a" ,W/"b,c""#, r#""""#]),
            tags(r#"("a", false), ("b,c", true), ("", false)"#)
        );
        for malformed in [
            "",
            " ",
            "a",
            "\"a",
            "a\"",
            "\"a\" \"b\"",
            "w/\"a\"",
            "*, \"a\"",
            "\"a b\"",
        ] {
            assert_eq!(read(&[malformed]), "Err(Malformed)", "{malformed}");
        }
    }
}
