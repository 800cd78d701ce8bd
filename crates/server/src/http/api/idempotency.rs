//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a repeat gets the response to the first request.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
    response::{IntoResponse as _, Response},
};
use sfv::{Item, Parser};
use utoipa::IntoParams;

use super::{ApiError, answer::Answer, json_object::JsonObject};
use crate::{
    authority::{Idempotent, OnceOutcome},
    domain::IdempotencyKey,
};

const HEADER: &str = "Idempotency-Key";

/// The name of a request, if the client sent one.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(in crate::http) struct Idempotency {
    /// A name for the request: 1 to 255 characters in double quotes (a String of RFC 9651), for example a random UUID. For
    /// 24 hours, the same request of the same caller with the same key gets the same response and changes nothing.
    #[param(
        rename = "Idempotency-Key",
        value_type = String,
        required = false,
        example = "\"8e03978e-40d5-43dd-bc93-6894a57f9324\""
    )]
    key: Option<IdempotencyKey>,
}

impl<S: Send + Sync> FromRequestParts<S> for Idempotency {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if !parts.headers.contains_key(HEADER) {
            return Ok(Self { key: None });
        }
        let key = key(&parts.headers).ok_or_else(|| {
            ApiError::field(
                HEADER,
                format!(
                    "must be sent once, as a string of 1 to {} printable ASCII characters in double quotes",
                    IdempotencyKey::MAX_CHARS
                ),
            )
        })?;
        Ok(Self { key: Some(key) })
    }
}

impl Idempotency {
    /// The request with this body and this name.
    pub(super) fn of(self, body: &JsonObject) -> RepeatableRequest {
        RepeatableRequest(self.key.map(|key| (key, body.canonical())))
    }
}

/// A request with its name and its canonical body. `None`: the client sent no name.
pub(super) struct RepeatableRequest(Option<(IdempotencyKey, Vec<u8>)>);

impl RepeatableRequest {
    /// The response to the request, which `perform` carries out once. `answer` makes the response to a completed request.
    pub(super) async fn once<'a, T, E, F>(
        self,
        answer: &'a (impl Fn(&T) -> Answer + Sync),
        perform: impl FnOnce(Option<Idempotent<'a, T>>) -> F,
    ) -> Result<Response, ApiError>
    where
        F: Future<Output = Result<OnceOutcome<T>, E>>,
        ApiError: From<E>,
    {
        let idempotent = self.0.map(|(key, request)| Idempotent {
            key,
            request,
            response: Box::new(|done: &T| answer(done).to_recorded()),
            account_in: Answer::account_in,
        });
        let answer = match perform(idempotent).await? {
            OnceOutcome::Completed(done) => answer(&done),
            OnceOutcome::Replayed(recorded) => Answer::from_recorded(&recorded)?,
        };
        Ok(answer.into_response())
    }
}

/// The key in the header, which must be sent once.
fn key(headers: &HeaderMap) -> Option<IdempotencyKey> {
    let mut values = headers.get_all(HEADER).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    // RFC 9651 §3.3.3: a String without parameters.
    let item = Parser::new(value.as_bytes()).parse::<Item>().ok()?;
    let text = item
        .bare_item
        .as_string()
        .filter(|_| item.params.is_empty())?;
    IdempotencyKey::parse(text.as_str().to_owned())
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
    fn a_key_is_one_structured_field_string() {
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
