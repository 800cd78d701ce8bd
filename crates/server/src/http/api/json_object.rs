//! JSON objects, read member by member, so that one answer names every error.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use prokura_wire::FieldError;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{error::ApiError, json_types::Wrong, json_value::Noting};

/// The maximum length of an unknown member's name in an answer, in characters.
const SHOWN_NAME_CHARS: usize = 64;

/// A JSON object. The reader takes the known members out; [`JsonObject::finish`] then refuses the rest.
#[derive(Default)]
pub(in crate::http) struct JsonObject {
    members: Vec<(String, Value)>,
    /// The names of the members that contain an object with a repeated member.
    repeating: Vec<String>,
    errors: Vec<FieldError>,
}

impl JsonObject {
    /// The object in a canonical spelling, which does not depend on white space or on the order of members. Repeated members
    /// are not represented; [`JsonObject::finish`] refuses them.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let members = self.members.iter().map(|(name, value)| (name, value));
        serde_json::to_vec(&members.collect::<BTreeMap<_, _>>())
            .expect("a value that was read as JSON can be written as JSON")
    }

    /// Records an error unless the member `name` is present.
    pub(super) fn require(&mut self, name: &str) {
        if !self.members.iter().any(|(member, _)| member == name) {
            self.error(name, "is required");
        }
    }

    /// Reads an optional member that must not be null. `None`: it is absent or wrong.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value) -> Result<T, Wrong>,
    ) -> Option<T> {
        let value = self.take(name)?;
        let message = match read(value) {
            Ok(value) => return Some(value),
            Err(Wrong::Not(expected)) => format!("must be {expected}"),
            Err(Wrong::Rule(message)) => message,
        };
        self.error(name, message);
        None
    }

    /// Reads an optional member that may be null: `Some(None)`. `None`: it is absent or wrong.
    pub(super) fn nullable<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value) -> Result<T, Wrong>,
    ) -> Option<Option<T>> {
        self.optional(name, |value| match value {
            Value::Null => Ok(None),
            value => read(value).map(Some).map_err(|wrong| match wrong {
                Wrong::Not(expected) => Wrong::Not(format!("{expected} or null").into()),
                rule => rule,
            }),
        })
    }

    /// Refuses the members that nobody took, with every error recorded before.
    pub(super) fn finish(mut self) -> Result<(), ApiError> {
        for (name, _) in std::mem::take(&mut self.members) {
            let name = name.chars().take(SHOWN_NAME_CHARS).collect::<String>();
            self.error(&name, "is not a member of this request");
        }
        let named = self.errors.iter().map(|error| error.field.clone());
        let mut named = named.collect::<BTreeSet<_>>();
        for name in std::mem::take(&mut self.repeating) {
            if !named.contains(&name) {
                self.error(&name, "has a member more than once");
                named.insert(name);
            }
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ApiError::Invalid(self.errors))
        }
    }

    fn error(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(FieldError {
            field: name.to_owned(),
            message: message.into(),
        });
    }

    /// Takes the last value of `name` out of the object. More than one value is an error.
    fn take(&mut self, name: &str) -> Option<Value> {
        let mut values = self
            .members
            .extract_if(.., |(member, _)| member == name)
            .map(|(_, value)| value)
            .collect::<Vec<_>>();
        if values.len() > 1 {
            self.error(name, "is given more than once");
        }
        values.pop()
    }

    /// Reads a body.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice::<Members>(body)
            .map(|Members { members, repeating }| Self {
                members,
                repeating,
                errors: Vec::new(),
            })
            .map_err(|error| {
                // The kind of error and its position. The text itself is not repeated.
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

/// The members of an object in their order, including repeated ones.
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
    use crate::http::api::json_types::{boolean, number, string};

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
    fn every_error_is_named_at_once() {
        let wrong = errors(
            r#"{"b":1,"c":null,"d":[{"x":1,"x":2}],"e":1,"e":2,"f":true}"#,
            |object| {
                object.require("a");
                object.optional("b", string);
                object.optional("c", string);
                object.optional("d", Ok);
                object.optional("e", boolean);
            },
        );
        assert_eq!(wrong, ["a", "b", "c", "e", "e", "f", "d"]);
    }

    #[test]
    fn an_error_says_whether_null_would_do() {
        let messages = |nullable| {
            let mut object = JsonObject::parse(br#"{"n":61,"s":1}"#).ok().unwrap();
            if nullable {
                object.nullable("n", number(0..=60));
                object.nullable("s", string);
            } else {
                object.optional("n", number(0..=60));
                object.optional("s", string);
            }
            let messages = object.errors.into_iter().map(|error| error.message);
            messages.collect::<Vec<_>>()
        };
        assert_eq!(
            messages(false),
            ["must be a whole number from 0 to 60", "must be a string"]
        );
        assert_eq!(
            messages(true),
            [
                "must be a whole number from 0 to 60 or null",
                "must be a string or null"
            ]
        );
    }

    /// Reading is linear in the length of the body, however many members are wrong.
    #[test]
    fn a_body_full_of_repeated_members_is_read_in_linear_time() {
        let body = |members: usize| {
            let members = (0..members).map(|number| format!(r#""{number}":{{"x":1,"x":1}}"#));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        let begin = std::time::Instant::now();
        assert_eq!(errors(&body(200_000), |_| ()).len(), 200_000);
        assert!(begin.elapsed() < std::time::Duration::from_secs(60));
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
    fn equal_objects_have_the_same_canonical_spelling() {
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
        fn no_body_panics(bytes: Vec<u8>) {
            if let Ok(mut object) = JsonObject::parse(&bytes) {
                object.optional("a", string);
                let _ = object.finish();
            }
        }
    }
}
