//! What a client authenticates with.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

/// The ID and secret of an account.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    pub id: String,
    pub client_id: String,
    pub client_secret: String,
}

impl Credentials {
    /// The value of a Basic header, as curl sends it.
    pub fn basic(&self) -> String {
        basic(&self.client_id, &self.client_secret)
    }

    /// Reads the credentials in a response to creating or rotating an account, or to adding a secret.
    pub(super) fn in_response(body: &Value) -> Self {
        let text = |name: &str| body["credentials"][name].as_str().unwrap().to_owned();
        let client_id = text("clientId");
        Self {
            id: client_id.trim_start_matches("sa_").to_owned(),
            client_id,
            client_secret: text("clientSecret"),
        }
    }

    /// The same account with a wrong secret of the right shape: the secret of `other`.
    pub fn with_secret_of(&self, other: &Self) -> Self {
        Self {
            client_secret: other.client_secret.clone(),
            ..self.clone()
        }
    }
}

/// The value of a Basic header, with nothing encoded.
pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
}
