//! A form that a client sent to an OAuth endpoint, with the credentials of the client.

use axum::http::{HeaderMap, header};

use super::{client_authentication::credentials, error::OAuthError, parameters::Parameters};
use crate::authority::PresentedCredentials;

/// A form and the credentials of its sender. Neither is checked yet.
pub(super) struct ClientForm<'b> {
    /// The credentials of the sender.
    pub(super) credentials: PresentedCredentials,
    parameters: Parameters<'b>,
}

impl<'b> ClientForm<'b> {
    /// Reads the headers and the body of a request.
    pub(super) fn read(headers: &HeaderMap, body: &'b [u8]) -> Result<Self, OAuthError> {
        if !is_form(headers) {
            return Err(OAuthError::InvalidRequest(
                "the body must be application/x-www-form-urlencoded",
            ));
        }
        let parameters = Parameters::parse(body)?;
        let credentials = credentials(headers, &parameters)?;
        Ok(Self {
            credentials,
            parameters,
        })
    }

    /// The value of a parameter. RFC 6749 §3.2: a parameter without a value counts as not sent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)
    }

    /// The values of `resource` and `audience`.
    pub(super) fn resources(&self) -> Vec<&str> {
        self.parameters.resources()
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    const FORM: &[u8] = b"application/x-www-form-urlencoded";
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return false;
    };
    // Most clients send exactly this, which needs no parsing.
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

    fn is_read(content_type: &str) -> bool {
        let mut headers = HeaderMap::new();
        let content_type = HeaderValue::from_str(content_type).unwrap();
        headers.insert(header::CONTENT_TYPE, content_type);
        ClientForm::read(&headers, b"").is_ok()
    }

    #[test]
    fn a_form_is_recognized_by_its_media_type() {
        for content_type in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-Urlencoded ; charset=utf-8",
            "application/x-www-form-urlencoded;",
        ] {
            assert!(is_read(content_type), "{content_type}");
        }
        for content_type in [
            "",
            "application/json",
            "application/x-www-form-urlencoded2",
            "application/x-www-form-urlencoded, a/b",
            "application/x-www-form-urlencoded; a=\u{e9}",
        ] {
            assert!(!is_read(content_type), "{content_type}");
        }
    }
}
