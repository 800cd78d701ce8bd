//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a repeat gets the answer that the first request got.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
    response::{IntoResponse as _, Response},
};
use utoipa::IntoParams;

use super::{ApiError, answer::Answer, json::JsonObject};
use crate::{
    authority::{Answered, Idempotent},
    domain::IdempotencyKey,
};

const HEADER: &str = "Idempotency-Key";

/// The header, as the API document has it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(in crate::http) struct IdempotencyKeyHeader {
    /// A name for this request: 1 to 255 characters in double quotes (a string of RFC 9651), best a random UUID. For 24 hours
    /// the same request of the same caller with the same key gets the same answer and changes nothing.
    #[param(
        rename = "Idempotency-Key",
        value_type = String,
        required = false,
        example = "\"8e03978e-40d5-43dd-bc93-6894a57f9324\""
    )]
    #[expect(dead_code, reason = "it describes a parameter; `Idempotency` reads it")]
    idempotency_key: Option<String>,
}

/// The key of a request, if it has one.
pub(in crate::http) struct Idempotency(Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for Idempotency {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if !parts.headers.contains_key(HEADER) {
            return Ok(Self(None));
        }
        let key = key(&parts.headers).ok_or_else(|| {
            ApiError::field(
                HEADER,
                format!(
                    "must be given once, as a string of 1 to {} printable ASCII characters in double quotes",
                    IdempotencyKey::MAX_CHARS
                ),
            )
        })?;
        Ok(Self(Some(key)))
    }
}

impl Idempotency {
    /// The request that the key names: the one with this body.
    pub(super) fn of(self, body: &JsonObject) -> RepeatableRequest {
        RepeatableRequest(self.0.map(|key| (key, body.canonical())))
    }
}

/// A request, with what its repeats are recognised by; with nothing, if it has no key.
pub(super) struct RepeatableRequest(Option<(IdempotencyKey, Vec<u8>)>);

impl RepeatableRequest {
    /// The request as the authority takes it, if it has a key. `answer` makes the answer to it.
    pub(super) fn answered_by<'a, T>(
        self,
        answer: &'a (impl Fn(&T) -> Answer + Sync),
    ) -> Option<Idempotent<'a, T>> {
        self.0.map(|(key, request)| Idempotent {
            key,
            request,
            answer: Box::new(|done| answer(done).to_kept()),
        })
    }
}

/// The answer to what has just been done, or the one that was kept.
pub(super) fn respond<T>(
    answered: Answered<T>,
    answer: impl Fn(&T) -> Answer,
) -> Result<Response, ApiError> {
    let answer = match answered {
        Answered::Now(done) => answer(&done),
        Answered::Before(kept) => Answer::from_kept(&kept)?,
    };
    Ok(answer.into_response())
}

/// The key in the one header that has to be there.
fn key(headers: &HeaderMap) -> Option<IdempotencyKey> {
    let mut values = headers.get_all(HEADER).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    IdempotencyKey::parse(string(value)?)
}

/// Reads a string (RFC 9651 §4.2.5), in which a backslash escapes a quote or a backslash. It has no parameters here.
fn string(value: &str) -> Option<String> {
    let quoted = value
        .trim_matches(' ')
        .strip_prefix('"')?
        .strip_suffix('"')?;
    let mut characters = quoted.chars();
    let mut text = String::with_capacity(quoted.len());
    while let Some(character) = characters.next() {
        text.push(match character {
            '"' => return None,
            '\\' => characters
                .next()
                .filter(|escaped| matches!(escaped, '"' | '\\'))?,
            plain => plain,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_str(value).unwrap());
        }
        key(&headers).map(|key| key.expose().to_owned())
    }

    #[test]
    fn a_key_is_one_string_of_a_structured_field() {
        let long = "k".repeat(255);
        for (value, text) in [
            (r#""8e03""#, "8e03"),
            (r#" "a b" "#, "a b"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r#""\"""#, "\""),
            (&format!("\"{long}\""), &*long),
        ] {
            assert_eq!(read(&[value]).as_deref(), Some(text), "{value}");
        }
        for value in [
            "",
            "8e03",
            "\"",
            r#""""#,
            r#""8e03"#,
            r#"8e03""#,
            r#""a"b""#,
            r#""a\""#,
            r#""a\b""#,
            r#""a", "b""#,
            r#""a";b=1"#,
            "'a'",
            ":YQ==:",
            "?1",
            "1",
            "\"a\tb\"",
            "\"\u{e9}\"",
            &format!("\"{long}k\""),
        ] {
            assert_eq!(read(&[value]), None, "{value:?}");
        }
        assert_eq!(read(&[r#""a""#, r#""a""#]), None);
    }
}
