//! A form sent by a client that says who it is: what all OAuth endpoints take.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::OAuthError;
use crate::{
    authority::PresentedCredentials,
    http::{
        form::{Malformed, decode, pairs},
        refusal::Refusal,
    },
};

/// The longest form, in bytes.
const FORM_LIMIT_BYTES: usize = 16 * 1024;

/// The parameters that mean something at one of our endpoints. All others are ignored (RFC 6749 §3.2).
const SINGLE: [&str; 8] = [
    "grant_type",
    "scope",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "token",
    "token_type_hint",
];
/// RFC 8707 §2: these may repeat.
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// A form with the credentials of its sender; neither is believed yet.
pub(in crate::http) struct ClientForm {
    /// Who the sender says it is.
    pub(super) credentials: PresentedCredentials,
    form: Form,
}

impl ClientForm {
    /// Reads what was sent with these headers.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
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
        self.form
            .0
            .iter()
            .filter(|(name, _)| REPEATABLE.contains(name))
            .map(|(_, value)| &**value)
            .collect()
    }
}

impl<S: Send + Sync> FromRequest<S> for ClientForm {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &S) -> Result<Self, OAuthError> {
        let (parts, body) = request.into_parts();
        let body = Bytes::from_request(Request::new(body), state)
            .await
            .map_err(|_| OAuthError::Refused(Refusal::Incomplete))?;
        Self::read(&parts.headers, &body)
    }
}

/// The known parameters that have a value.
struct Form(Vec<(&'static str, String)>);

impl Form {
    fn parse(body: &[u8]) -> Result<Self, OAuthError> {
        let mut seen: Vec<&'static str> = Vec::new();
        let mut known = Vec::new();
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
            let single = SINGLE.iter().find(|known| **known == name);
            let repeatable = REPEATABLE.iter().find(|known| **known == name);
            let value = decode(value);
            let Some(name) = single.or(repeatable) else {
                // Unknown: its escapes must be sound, or the body is not a form; its text does not matter.
                if value == Err(Malformed::Escape) {
                    return Err(malformed(Malformed::Escape));
                }
                continue;
            };
            // RFC 6749 §3.2: parameters must not be included more than once.
            if single.is_some() {
                if seen.contains(name) {
                    return Err(OAuthError::InvalidRequest("a parameter is repeated"));
                }
                seen.push(name);
            }
            let value = value.map_err(malformed)?;
            if !value.is_empty() {
                known.push((*name, value));
            }
        }
        let form = Self(known);
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
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| &**value)
    }
}

/// What the sender presents, by exactly one method (RFC 6749 §2.3).
fn credentials(headers: &HeaderMap, form: &Form) -> Result<PresentedCredentials, OAuthError> {
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = authorizations.next();
    let secret = form.get("client_secret");
    let assertion = form
        .get("client_assertion")
        .or_else(|| form.get("client_assertion_type"));
    // Another scheme is no method of ours: it fails by itself, and nothing in the body rescues it.
    let is_basic = authorization.is_some_and(|value| basic_credentials(value.as_bytes()).is_some());
    let methods =
        usize::from(is_basic) + usize::from(secret.is_some()) + usize::from(assertion.is_some());
    if authorizations.next().is_some() || methods > 1 {
        return Err(OAuthError::InvalidRequest(
            "the request has more than one set of client credentials",
        ));
    }

    let client_id = form.get("client_id");
    let presented = match (authorization, secret) {
        (Some(value), _) => basic_credentials(value.as_bytes())
            .and_then(basic)
            // Beside Basic, `client_id` only identifies; it must be the same client.
            .filter(|(id, _)| client_id.is_none_or(|client_id| client_id == id))
            .map(|(id, secret)| PresentedCredentials::parse(&id, &secret)),
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
/// ours hold nothing that encoding changes, so clients that do not encode come through as well.
fn basic(encoded: &[u8]) -> Option<(String, String)> {
    let decoded = BASE64_STANDARD.decode(encoded).ok()?;
    let at = decoded.iter().position(|&byte| byte == b':')?;
    Some((
        decode(&decoded[..at]).ok()?,
        decode(&decoded[at + 1..]).ok()?,
    ))
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media_type| {
            media_type
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}
