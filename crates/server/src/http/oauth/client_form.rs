//! A form sent by a client that says who it is: what all OAuth endpoints take.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use memchr::memchr;

use super::OAuthError;
use crate::{
    authority::PresentedCredentials,
    domain::{ClientId, ClientSecret},
    encoding::BASE64,
    http::{
        form::{Malformed, decode, decode_text, pairs},
        refusal::Refusal,
    },
};

/// The longest form, in bytes.
const FORM_LIMIT_BYTES: usize = 16 * 1024;

/// The longest id and secret of ours that Basic credentials can hold, in bytes: each character as a percent-escape.
const BASIC_BYTES: usize = 3 * (ClientId::CHARS + ":".len() + ClientSecret::CHARS);

/// How many parameters mean something at one of our endpoints. All others are ignored (RFC 6749 §3.2).
const SINGLE: usize = 8;

/// Which of these a parameter is. A `match`, so that the name of one that we ask for is not looked up.
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

/// RFC 8707 §2: these may repeat.
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// A form with the credentials of its sender; neither is believed yet.
pub(super) struct ClientForm<'b> {
    /// Who the sender says it is.
    pub(super) credentials: PresentedCredentials,
    form: Form<'b>,
}

impl<'b> ClientForm<'b> {
    /// Reads what was sent with these headers.
    pub(super) fn read(headers: &HeaderMap, body: &'b [u8]) -> Result<Self, OAuthError> {
        if !is_form(headers) {
            return Err(OAuthError::InvalidRequest(
                "the body must be application/x-www-form-urlencoded",
            ));
        }
        let form = Form::parse(body)?;
        let credentials = credentials(headers, &form)?;
        Ok(Self { credentials, form })
    }

    /// The value of a parameter; sent without a value is not sent (RFC 6749 §3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.form.get(name)
    }

    /// The values of `resource` and `audience`.
    pub(super) fn resources(&self) -> Vec<&str> {
        self.form.resources.iter().map(|value| &**value).collect()
    }
}

/// The known parameters.
#[derive(Default)]
struct Form<'b> {
    /// The value of each that means something, at its place in [`single`], if it was sent.
    single: [Option<Cow<'b, str>>; SINGLE],
    /// The values of [`REPEATABLE`], those that are not empty.
    resources: Vec<Cow<'b, str>>,
}

impl<'b> Form<'b> {
    fn parse(body: &'b [u8]) -> Result<Self, OAuthError> {
        let mut form = Self::default();
        for (name, value) in pairs(body) {
            let malformed = |error| {
                OAuthError::InvalidRequest(match error {
                    Malformed::Escape => "the body has a broken percent-escape",
                    Malformed::Text => "a parameter is not UTF-8 text, or has a NUL in it",
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
                // Unknown: its escapes must be sound, or the body is not a form; its text does not matter.
                return Err(malformed(Malformed::Escape));
            }
        }
        if body.len() > FORM_LIMIT_BYTES {
            // A scope of that size is none that anybody was granted; whatever else is, is too much.
            let scope_chars = form.get("scope").map_or(0, str::len);
            return Err(if scope_chars > FORM_LIMIT_BYTES / 2 {
                OAuthError::InvalidScope
            } else {
                OAuthError::Refused(Refusal::TooLarge)
            });
        }
        Ok(form)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let at = single(name)?;
        self.single[at].as_deref().filter(|value| !value.is_empty())
    }
}

/// What the sender presents, by exactly one method (RFC 6749 §2.3).
fn credentials(headers: &HeaderMap, form: &Form<'_>) -> Result<PresentedCredentials, OAuthError> {
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = authorizations.next();
    let basic = authorization.and_then(|value| basic_credentials(value.as_bytes()));
    let (client_id, secret) = (form.get("client_id"), form.get("client_secret"));
    let assertion = form
        .get("client_assertion")
        .or_else(|| form.get("client_assertion_type"));
    let methods = usize::from(basic.is_some())
        + usize::from(secret.is_some())
        + usize::from(assertion.is_some());
    if authorizations.next().is_some() || methods > 1 {
        return Err(OAuthError::InvalidRequest(
            "the request has more than one set of client credentials",
        ));
    }

    let presented = match (authorization, secret) {
        // Another scheme is no method of ours: it fails by itself, and nothing in the body rescues it.
        (Some(_), _) => basic.and_then(|encoded| read_basic(encoded, client_id)),
        (None, Some(secret)) => client_id.map(|id| PresentedCredentials::parse(id, secret)),
        (None, None) => None,
    };
    Ok(presented.unwrap_or(PresentedCredentials::Unrecognisable))
}

/// What follows the scheme in a Basic header (RFC 7617 §2); the scheme is written in any case (RFC 9110 §11.1).
fn basic_credentials(value: &[u8]) -> Option<&[u8]> {
    let (scheme, encoded) = value.split_at_checked("basic ".len())?;
    scheme
        .eq_ignore_ascii_case(b"basic ")
        .then(|| encoded.trim_ascii())
}

/// The id and secret in Basic credentials, each half form-decoded after splitting (RFC 6749 §2.3.1). Secrets and ids of
/// ours hold nothing that encoding changes, so clients that do not encode come through as well. Beside Basic, `client_id`
/// only identifies; it must be the same client.
fn read_basic(encoded: &[u8], client_id: Option<&str>) -> Option<PresentedCredentials> {
    let mut decoded = [0; BASIC_BYTES];
    let length = BASE64.decode_slice(encoded, &mut decoded).ok()?;
    let decoded = std::str::from_utf8(&decoded[..length]).ok()?;
    let at = memchr(b':', decoded.as_bytes())?;
    let (id, secret) = (
        decode_text(&decoded[..at]).ok()?,
        decode_text(&decoded[at + 1..]).ok()?,
    );
    client_id
        .is_none_or(|client_id| client_id == id)
        .then(|| PresentedCredentials::parse(&id, &secret))
}

fn is_form(headers: &HeaderMap) -> bool {
    const FORM: &[u8] = b"application/x-www-form-urlencoded";
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return false;
    };
    // What is mostly said need not be parsed.
    value.as_bytes() == FORM
        || value
            .to_str()
            .ok()
            .and_then(|value| value.split(';').next())
            .is_some_and(|media_type| {
                media_type
                    .as_bytes()
                    .trim_ascii()
                    .eq_ignore_ascii_case(FORM)
            })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::domain::ServiceAccountId;

    fn read<'b>(content_type: &str, body: &'b str) -> Result<ClientForm<'b>, &'static str> {
        let mut headers = HeaderMap::new();
        let content_type = HeaderValue::from_str(content_type).unwrap();
        headers.insert(header::CONTENT_TYPE, content_type);
        ClientForm::read(&headers, body.as_bytes()).map_err(|error| match error {
            OAuthError::InvalidRequest(what) => what,
            _ => "another error",
        })
    }

    fn form(body: &str) -> Result<ClientForm<'_>, &'static str> {
        read("application/x-www-form-urlencoded", body)
    }

    #[test]
    fn a_parameter_is_found_decoded_and_one_without_value_is_not_sent() {
        let form = form("grant%5Ftype=a+b&scope=&token&resource=&resource=x&audience=%79").unwrap();
        assert_eq!(form.get("grant_type"), Some("a b"));
        assert_eq!(form.get("scope"), None);
        assert_eq!(form.get("token"), None);
        assert_eq!(form.get("unheard_of"), None);
        assert_eq!(form.resources(), ["x", "y"]);
    }

    #[test]
    fn what_means_something_is_sent_once_and_what_does_not_is_passed_over() {
        let repeated = Some("a parameter is repeated");
        for body in ["scope=a&scope=a", "scope=&scope=a", "scope&%73cope"] {
            assert_eq!(form(body).err(), repeated, "{body}");
        }
        assert!(form("a=1&a=2&%ff=1&a=%ff&resource=%20").is_ok());
        let text = Some("a parameter is not UTF-8 text, or has a NUL in it");
        let escape = Some("the body has a broken percent-escape");
        assert_eq!(form("scope=%ff").err(), text);
        assert_eq!(form("resource=%00").err(), text);
        assert_eq!(form("a=%").err(), escape);
        assert_eq!(form("%zz=1").err(), escape);
    }

    #[test]
    fn basic_credentials_may_be_escaped_throughout_and_no_longer_than_that() {
        let id = ServiceAccountId::from_bytes([1; 16])
            .client_id()
            .to_string();
        let secret = ClientSecret::from_random([2; 32]);
        let plain = |text: &str| text.to_owned();
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for form in [plain as fn(&str) -> String, escaped] {
            let encoded = BASE64.encode(format!("{}:{}", form(&id), form(secret.expose())));
            assert!(matches!(
                read_basic(encoded.as_bytes(), None),
                Some(PresentedCredentials::Secret { .. })
            ));
            assert!(read_basic(encoded.as_bytes(), Some(&id)).is_some());
            assert!(read_basic(encoded.as_bytes(), Some("other")).is_none());
        }
        let long = BASE64.encode([b':'; BASIC_BYTES + 1]);
        assert!(read_basic(long.as_bytes(), None).is_none());
    }

    #[test]
    fn a_form_is_known_by_its_media_type() {
        for content_type in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-Urlencoded ; charset=utf-8",
            "application/x-www-form-urlencoded;",
        ] {
            assert!(read(content_type, "").is_ok(), "{content_type}");
        }
        for content_type in [
            "",
            "application/json",
            "application/x-www-form-urlencoded2",
            "application/x-www-form-urlencoded, a/b",
            "application/x-www-form-urlencoded; a=\u{e9}",
        ] {
            assert!(read(content_type, "").is_err(), "{content_type}");
        }
    }
}
