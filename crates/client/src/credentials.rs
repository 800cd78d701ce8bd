//! How a client authenticates at the OAuth endpoints.

use std::{fmt, fs, path::PathBuf, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use prokura_wire::Secret;
use reqwest::header::HeaderValue;
use url::form_urlencoded::byte_serialize;

use crate::error::Error;

/// A client ID and its secret. The client authenticates by HTTP Basic (RFC 6749 §2.3.1), which every server must support,
/// or [`in_body`](Self::in_body). `Debug` does not show the secret.
#[derive(Clone)]
pub struct ClientCredentials {
    client_id: String,
    secret: SecretSource,
    in_body: bool,
}

#[derive(Clone)]
enum SecretSource {
    Text(Secret),
    File(PathBuf),
}

impl ClientCredentials {
    /// A client ID and its secret.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            secret: SecretSource::Text(Secret::new(client_secret)),
            in_body: false,
        }
    }

    /// A client ID and a file with its secret. The file is read for each token request, so the client picks up a rotated
    /// secret. A line break at the end of the file is ignored.
    pub fn with_secret_file(client_id: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            client_id: client_id.into(),
            secret: SecretSource::File(path.into()),
            in_body: false,
        }
    }

    /// Sends the credentials in the body (`client_secret_post`), for servers that do not support HTTP Basic.
    pub fn in_body(mut self) -> Self {
        self.in_body = true;
        self
    }

    /// The client ID.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Authenticates a form: returns the `Authorization` header, or adds two parameters to the form.
    pub(crate) fn authenticate(
        &self,
        form: &mut Vec<(String, String)>,
    ) -> Result<Option<HeaderValue>, Error> {
        let secret = self.read_secret()?;
        if self.in_body {
            form.push(("client_id".to_owned(), self.client_id.clone()));
            form.push(("client_secret".to_owned(), secret.expose().to_owned()));
            return Ok(None);
        }
        // RFC 6749 §2.3.1: both halves are form-encoded, so that neither has a colon.
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&self.client_id), encoded(secret.expose()));
        let text = format!("Basic {}", BASE64_STANDARD.encode(pair));
        let mut header = HeaderValue::try_from(text)
            .map_err(|_| Error::invalid("no header can hold the client ID and secret"))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }

    fn read_secret(&self) -> Result<Secret, Error> {
        let path = match &self.secret {
            SecretSource::Text(secret) => return Ok(secret.clone()),
            SecretSource::File(path) => path,
        };
        let text = fs::read_to_string(path).map_err(|error| Error::Invalid {
            message: format!("cannot read the client secret from {}", path.display()),
            hint: None,
            source: Some(Arc::new(error)),
        })?;
        Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
    }
}

impl From<prokura_wire::Credentials> for ClientCredentials {
    /// The credentials that creating an account, rotating a secret or adding one returned.
    fn from(credentials: prokura_wire::Credentials) -> Self {
        Self {
            client_id: credentials.client_id,
            secret: SecretSource::Text(credentials.client_secret),
            in_body: false,
        }
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_basic_are_form_encoded() {
        let mut form = Vec::new();
        let header = ClientCredentials::new("a:b c", "\u{a3}%+")
            .authenticate(&mut form)
            .unwrap()
            .unwrap();
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        let pair = BASE64_STANDARD.decode(encoded).unwrap();
        assert_eq!(pair, b"a%3Ab+c:%C2%A3%25%2B");
        assert!(header.is_sensitive());
        assert!(form.is_empty());
    }

    #[test]
    fn in_the_body_there_is_no_header() {
        let mut form = Vec::new();
        let credentials = ClientCredentials::new("id", "secret").in_body();
        assert_eq!(credentials.authenticate(&mut form).unwrap(), None);
        let expected = [("client_id", "id"), ("client_secret", "secret")];
        assert_eq!(
            form,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn the_secret_does_not_print() {
        let printed = format!("{:?}", ClientCredentials::new("id", "hunter2"));
        assert!(
            printed.contains("id") && !printed.contains("hunter2"),
            "{printed}"
        );
    }

    #[test]
    fn a_secret_file_that_is_missing_is_named() {
        let credentials = ClientCredentials::with_secret_file("id", "/nonexistent/secret");
        let error = credentials.authenticate(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/secret"), "{error}");
    }
}
