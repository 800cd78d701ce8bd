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

use super::{ApiError, json_value::Noting};
use crate::http::refusal::Refusal;

/// How much of an unknown member's name is repeated in the answer, in characters.
const SHOWN_NAME_CHARS: usize = 64;

/// A JSON object being read. Members are taken out one by one; [`JsonObject::finish`] refuses what is left.
#[derive(Default)]
pub(in crate::http) struct JsonObject {
    members: Vec<(String, Value)>,
    /// The names of the members in which an object repeats a member of its own.
    repeating: Vec<String>,
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

    /// An optional member, which `read` reads; `expected` says what it must be. `None`: it is not there, or it is wrong, which
    /// null is as well.
    pub(super) fn present<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(name)?;
        read(value).or_else(|| self.error(name, expected))
    }

    /// An optional member that may be null: `Some(None)`.
    pub(super) fn nullable<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Option<Option<T>> {
        self.present(name, expected, |value| match value {
            Value::Null => Some(None),
            value => read(value).map(Some),
        })
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
        for name in std::mem::take(&mut self.repeating) {
            if !self.errors.iter().any(|error| error.field == name) {
                self.error::<()>(&name, "has a member more than once");
            }
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
            .map(|Members { members, repeating }| Self {
                members,
                repeating,
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

/// A body that says what is to change (RFC 7396), sent as such or as any JSON.
pub(in crate::http) struct MergePatch(pub(super) JsonObject);

impl<S: Send + Sync> FromRequest<S> for MergePatch {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let headers = request.headers();
        if !is_json(headers) && !is_media_type(headers, "application/merge-patch+json") {
            return Err(ApiError::NotMergePatch);
        }
        JsonObject::parse(&read(request, state).await?).map(Self)
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
            return Ok(Self(JsonObject::default()));
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
    is_media_type(headers, "application/json")
}

fn is_media_type(headers: &HeaderMap, expected: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(expected))
}

/// The members of an object in order, repeats included.
struct Members {
    members: Vec<(String, Value)>,
    repeating: Vec<String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let (mut members, mut repeating) = (Vec::new(), Vec::new());
                while let Some(name) = map.next_key::<String>()? {
                    let mut is_repeating = false;
                    let value = map.next_value_seed(Noting(&mut is_repeating))?;
                    if is_repeating {
                        repeating.push(name.clone());
                    }
                    members.push((name, value));
                }
                Ok(Members { members, repeating })
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
            r#"{"b":1,"c":null,"d":[{"x":1,"x":2}],"e":1,"e":2,"f":true}"#,
            |object| {
                object.string("a");
                object.string("b");
                object.string("c");
                object.present("d", "must be", Some);
                object.optional_bool("e");
            },
        );
        assert_eq!(wrong, ["a", "b", "c", "e", "e", "f", "d"]);
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
