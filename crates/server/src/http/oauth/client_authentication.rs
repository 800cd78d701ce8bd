//! The credentials in a request to an OAuth endpoint (RFC 6749 §2.3).
//!
//! This is where a request becomes [`PresentedCredentials`]. Nothing is checked here.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use memchr::memchr;

use super::{error::OAuthError, parameters::Parameters};
use crate::{
    authority::PresentedCredentials,
    domain::{ClientId, ClientSecret},
    encoding::BASE64,
    http::form::decode_text,
};

/// The methods that [`credentials`] reads, as the metadata lists them (RFC 8414 §2).
pub(super) const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// The maximum length of a client id and secret in Basic credentials, in bytes: each character as a percent-escape.
const BASIC_BYTES: usize = 3 * (ClientId::CHARS + ":".len() + ClientSecret::CHARS);

/// The credentials of the sender. RFC 6749 §2.3: a client uses one method for each request.
pub(super) fn credentials(
    headers: &HeaderMap,
    form: &Parameters<'_>,
) -> Result<PresentedCredentials, OAuthError> {
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
        // Another scheme than Basic fails, whatever is in the body.
        (Some(_), _) => basic.and_then(|encoded| read_basic(encoded, client_id)),
        (None, Some(secret)) => client_id.map(|id| PresentedCredentials::parse(id, secret)),
        (None, None) => None,
    };
    Ok(presented.unwrap_or(PresentedCredentials::Unrecognisable))
}

/// The part after the scheme of a Basic header (RFC 7617 §2). RFC 9110 §11.1: the scheme is case-insensitive.
fn basic_credentials(value: &[u8]) -> Option<&[u8]> {
    let (scheme, encoded) = value.split_at_checked("basic ".len())?;
    scheme
        .eq_ignore_ascii_case(b"basic ")
        .then(|| encoded.trim_ascii())
}

/// The client id and secret in Basic credentials. RFC 6749 §2.3.1: each is form-encoded. Encoding changes no character of
/// an id or secret of Prokura, so clients that do not encode work as well. A `client_id` in the body must name the same
/// client.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ServiceAccountId;

    #[test]
    fn every_character_of_basic_credentials_may_be_escaped() {
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
}
