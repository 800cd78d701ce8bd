//! JSON bodies, read member by member, so that one answer names everything that is wrong.

use std::{collections::BTreeMap, fmt};

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use prokura_wire::FieldError;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::ApiError;
use crate::http::refusal::Refusal;

/// How much of an unknown member's name is repeated in the answer, in characters.
const SHOWN_NAME_CHARS: usize = 64;

/// A JSON object being read. Members are taken out one by one; [`JsonObject::finish`] refuses what is left.
pub(in crate::http) struct JsonObject {
    members: Vec<(String, Value)>,
    errors: Vec<FieldError>,
}

impl JsonObject {
    /// The object in one spelling, whatever the order of its members and the white space between them. Of members that are
    /// given more than once it says nothing: [`JsonObject::finish`] refuses those.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let members = self.members.iter().map(|(name, value)| (name, value));
        serde_json::to_vec(&members.collect::<BTreeMap<_, _>>())
            .expect("what was read as JSON can be written")
    }

    /// A required string.
    pub(super) fn string(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            Some(Value::String(text)) => Some(text),
            Some(_) => self.error(name, "must be a string"),
            None => self.error(name, "is required"),
        }
    }

    /// An optional string; null is absence.
    pub(super) fn optional_string(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            Value::Null => None,
            _ => self.error(name, "must be a string or null"),
        }
    }

    /// An optional array of strings; null is absence.
    pub(super) fn optional_strings(&mut self, name: &str) -> Option<Vec<String>> {
        const EXPECTED: &str = "must be an array of strings";
        match self.take(name)? {
            Value::Null => None,
            Value::Array(values) => {
                let strings = values
                    .into_iter()
                    .map(|value| match value {
                        Value::String(text) => Some(text),
                        _ => None,
                    })
                    .collect::<Option<Vec<_>>>();
                strings.or_else(|| self.error(name, EXPECTED))
            }
            _ => self.error(name, EXPECTED),
        }
    }

    /// An optional whole number from `least` to `most`; null is absence.
    pub(super) fn optional_number(&mut self, name: &str, least: u32, most: u32) -> Option<u32> {
        let value = self.take(name).filter(|value| !value.is_null())?;
        value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (least..=most).contains(number))
            .or_else(|| {
                self.error(
                    name,
                    format!("must be a whole number from {least} to {most}"),
                )
            })
    }

    /// An optional truth value, false if it is not there.
    pub(super) fn optional_bool(&mut self, name: &str) -> bool {
        match self.take(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => value,
            Some(_) => {
                self.error::<()>(name, "must be true or false");
                false
            }
        }
    }

    /// Remembers that `name` is wrong. `None`, so that a reader can end with it.
    pub(super) fn error<T>(&mut self, name: &str, message: impl Into<String>) -> Option<T> {
        self.errors.push(FieldError {
            field: name.to_owned(),
            message: message.into(),
        });
        None
    }

    /// Refuses the members that nobody took, and whatever was wrong before.
    pub(super) fn finish(mut self) -> Result<(), ApiError> {
        for (name, _) in std::mem::take(&mut self.members) {
            let name = name.chars().take(SHOWN_NAME_CHARS).collect::<String>();
            self.error::<()>(&name, "is not a member of this request");
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ApiError::Invalid(self.errors))
        }
    }

    /// Takes every value of `name`; a second one is an error.
    fn take(&mut self, name: &str) -> Option<Value> {
        let mut values = self
            .members
            .extract_if(.., |(member, _)| member == name)
            .map(|(_, value)| value)
            .collect::<Vec<_>>();
        if values.len() > 1 {
            self.error::<()>(name, "is given more than once");
        }
        values.pop()
    }

    fn parse(body: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice::<Members>(body)
            .map(|members| Self {
                members: members.0,
                errors: Vec::new(),
            })
            .map_err(|error| {
                // The category and the place; what stands there is not repeated.
                let what = if error.is_data() {
                    "must be a JSON object".to_owned()
                } else {
                    format!(
                        "is not valid JSON (line {}, column {})",
                        error.line(),
                        error.column()
                    )
                };
                ApiError::field("body", what)
            })
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::NotJson);
        }
        Self::parse(&read(request, state).await?)
    }
}

/// A body that may be left out, with everything that belongs to it.
pub(in crate::http) struct OptionalJsonObject(pub(super) JsonObject);

impl<S: Send + Sync> FromRequest<S> for OptionalJsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let is_json = is_json(request.headers());
        let body = read(request, state).await?;
        if body.is_empty() {
            return Ok(Self(JsonObject {
                members: Vec::new(),
                errors: Vec::new(),
            }));
        }
        if !is_json {
            return Err(ApiError::NotJson);
        }
        JsonObject::parse(&body).map(Self)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state)
        .await
        .map_err(|_| ApiError::Refused(Refusal::Incomplete))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

/// The members of an object in order, repeats included: `serde_json::Map` would keep the last and hide the rest
/// (RFC 8259 §4 leaves that open, which is why it is refused here).
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn errors(body: &str, read: impl FnOnce(&mut JsonObject)) -> Vec<String> {
        let result = JsonObject::parse(body.as_bytes()).and_then(|mut object| {
            read(&mut object);
            object.finish()
        });
        match result {
            Ok(()) => Vec::new(),
            Err(ApiError::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
            Err(_) => panic!("a body is valid or invalid"),
        }
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        let wrong = errors(
            r#"{"b":1,"c":null,"d":[1],"e":1,"e":2,"f":true}"#,
            |object| {
                object.string("a");
                object.string("b");
                object.string("c");
                object.optional_strings("d");
                object.optional_string("e");
            },
        );
        assert_eq!(wrong, ["a", "b", "c", "d", "e", "e", "f"]);
    }

    #[test]
    fn only_an_object_is_a_body() {
        for body in [
            "",
            "[]",
            "null",
            "\"a\"",
            "1",
            "{",
            "{}{}",
            "\u{feff}{}",
            "{'a':1}",
            "{\"a\":1e400}",
            "{\"a\":\"\\ud800\"}",
        ] {
            assert_eq!(errors(body, |_| ()), ["body"], "{body:?}");
        }
        assert!(errors(" {} \n", |_| ()).is_empty());
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert_eq!(errors(&deep, |_| ()), ["body"]);
    }

    #[test]
    fn equal_objects_have_one_spelling() {
        let canonical = |body: &str| {
            JsonObject::parse(body.as_bytes())
                .map(|body| body.canonical())
                .ok()
        };
        let spelling = canonical(r#"{"a":{"b":1,"c":["x",null]},"d":"A"}"#);
        assert!(spelling.is_some());
        let same = " {\"d\" : \"\\u0041\", \"a\":{\"c\":[\"x\" ,null],\n\"b\":1}}";
        assert_eq!(canonical(same), spelling);
        for other in [
            r#"{"a":{"b":1,"c":[null,"x"]},"d":"A"}"#,
            r#"{"a":{"b":2,"c":["x",null]},"d":"A"}"#,
            r#"{"a":{"b":1,"c":["x",null]},"d":"a"}"#,
            r#"{"a":{"b":1,"c":["x",null]}}"#,
        ] {
            assert_ne!(canonical(other), spelling, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes: Vec<u8>) {
            if let Ok(mut object) = JsonObject::parse(&bytes) {
                object.string("a");
                let _ = object.finish();
            }
        }
    }
}
