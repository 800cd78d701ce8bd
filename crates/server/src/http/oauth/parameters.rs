//! The parameters of a form that the OAuth endpoints know.

use std::borrow::Cow;

use super::error::OAuthError;
use crate::http::{
    form::{Malformed, decode, pairs},
    refusal::Refusal,
};

/// The maximum length of a form, in bytes.
const FORM_LIMIT_BYTES: usize = 16 * 1024;

/// The number of parameters that [`single`] knows.
const SINGLE: usize = 8;

/// The index of a parameter that may be sent once. RFC 6749 §3.2: all others are ignored. With a constant name the compiler
/// evaluates the `match`, so [`Parameters::get`] compares no texts.
fn single(name: &str) -> Option<usize> {
    match name {
        "grant_type" => Some(0),
        "scope" => Some(1),
        "client_id" => Some(2),
        "client_secret" => Some(3),
        "client_assertion" => Some(4),
        "client_assertion_type" => Some(5),
        "token" => Some(6),
        "token_type_hint" => Some(7),
        _ => None,
    }
}

/// RFC 8707 §2: these may be repeated.
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// The known parameters of a form, decoded.
#[derive(Default)]
pub(super) struct Parameters<'b> {
    /// The values by their index in [`single`]. `None`: not sent.
    single: [Option<Cow<'b, str>>; SINGLE],
    /// The values of [`REPEATABLE`] that are not empty.
    resources: Vec<Cow<'b, str>>,
}

impl<'b> Parameters<'b> {
    /// Parses the body of a request.
    pub(super) fn parse(body: &'b [u8]) -> Result<Self, OAuthError> {
        let mut form = Self::default();
        for (name, value) in pairs(body) {
            let malformed = |error| {
                OAuthError::InvalidRequest(match error {
                    Malformed::Escape => "the body has an invalid percent-escape",
                    Malformed::Text => "a parameter is not valid UTF-8, or contains NUL",
                })
            };
            let name = match decode(name) {
                Ok(name) => name,
                Err(Malformed::Escape) => return Err(malformed(Malformed::Escape)),
                Err(Malformed::Text) => continue,
            };
            let value = decode(value);
            if let Some(at) = single(&name) {
                // RFC 6749 §3.2: parameters must not be included more than once.
                if form.single[at].is_some() {
                    return Err(OAuthError::InvalidRequest("a parameter is repeated"));
                }
                form.single[at] = Some(value.map_err(malformed)?);
            } else if REPEATABLE.contains(&&*name) {
                let value = value.map_err(malformed)?;
                if !value.is_empty() {
                    form.resources.push(value);
                }
            } else if value == Err(Malformed::Escape) {
                // The escapes of an unknown parameter must be valid, or the body is not a form. Its text does not matter.
                return Err(malformed(Malformed::Escape));
            }
        }
        if body.len() > FORM_LIMIT_BYTES {
            // No client is granted a scope of that size. Everything else is too large.
            let scope_chars = form.get("scope").map_or(0, str::len);
            return Err(if scope_chars > FORM_LIMIT_BYTES / 2 {
                OAuthError::InvalidScope
            } else {
                OAuthError::Refused(Refusal::TooLarge)
            });
        }
        Ok(form)
    }

    /// The value of a parameter. RFC 6749 §3.2: a parameter without a value counts as not sent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let at = single(name)?;
        self.single[at].as_deref().filter(|value| !value.is_empty())
    }
    /// The values of `resource` and `audience`.
    pub(super) fn resources(&self) -> Vec<&str> {
        self.resources.iter().map(|value| &**value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Parameters<'_>, &'static str> {
        Parameters::parse(body.as_bytes()).map_err(|error| match error {
            OAuthError::InvalidRequest(message) => message,
            _ => "another error",
        })
    }

    #[test]
    fn values_are_decoded_and_empty_ones_count_as_not_sent() {
        let form =
            parse("grant%5Ftype=a+b&scope=&token&resource=&resource=x&audience=%79").unwrap();
        assert_eq!(form.get("grant_type"), Some("a b"));
        assert_eq!(form.get("scope"), None);
        assert_eq!(form.get("token"), None);
        assert_eq!(form.get("unheard_of"), None);
        assert_eq!(form.resources(), ["x", "y"]);
    }

    #[test]
    fn a_known_parameter_may_not_repeat_and_an_unknown_one_is_ignored() {
        let repeated = Some("a parameter is repeated");
        for body in ["scope=a&scope=a", "scope=&scope=a", "scope&%73cope"] {
            assert_eq!(parse(body).err(), repeated, "{body}");
        }
        assert!(parse("a=1&a=2&%ff=1&a=%ff&resource=%20").is_ok());
        let text = Some("a parameter is not valid UTF-8, or contains NUL");
        let escape = Some("the body has an invalid percent-escape");
        assert_eq!(parse("scope=%ff").err(), text);
        assert_eq!(parse("resource=%00").err(), text);
        assert_eq!(parse("a=%").err(), escape);
        assert_eq!(parse("%zz=1").err(), escape);
    }
}
