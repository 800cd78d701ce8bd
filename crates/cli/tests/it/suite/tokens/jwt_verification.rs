//! Verification of JWT access tokens (section JV). Each forged token is sent to the management API and to introspection.
//!
//! The forger holds the server's own signing key, so that a refusal is about the one thing that is wrong with the
//! token. The other places that the section names are not offered: `client_assertion`, `subject_token` and DPoP.

mod algorithms;
mod claims;
mod headers;
mod life;
mod shape;
mod signatures;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use serde_json::{Value, json};

use super::start_with;
use crate::harness::{Forger, Options, Prokura, Reply, claims_of, encode, header_of};

/// A server whose management API takes JWTs, and a forger who holds its key.
struct Scene {
    prokura: Prokura,
    forger: Forger,
    /// A token that the server issued.
    issued: String,
    /// Its header.
    header: Value,
    /// Its claims.
    claims: Value,
}

impl Scene {
    async fn with(algorithm: SigningAlgorithm) -> Self {
        let prokura = start_with(Options::with_format(TokenFormat::Jwt(algorithm))).await;
        Self::on(prokura, algorithm).await
    }

    async fn on(prokura: Prokura, algorithm: SigningAlgorithm) -> Self {
        let issued = prokura.access_token(&prokura.root).await;
        let scene = Self {
            forger: prokura.forger(algorithm).await,
            header: header_of(&issued),
            claims: claims_of(&issued),
            issued,
            prokura,
        };
        assert_eq!(scene.forger.header(), scene.header);
        // The forged token is valid as long as nothing is changed.
        let forged = scene.forge(&scene.header, &scene.claims);
        scene.assert_believed("nothing is wrong", &forged).await;
        scene
    }

    async fn es256() -> Self {
        Self::with(SigningAlgorithm::Es256).await
    }

    fn forge(&self, header: &Value, claims: &Value) -> String {
        self.forger.sign(header.to_string(), claims.to_string())
    }

    /// A token with one changed member of the header.
    fn with_header(&self, name: &str, value: Value) -> String {
        self.forge(&with(&self.header, name, value), &self.claims)
    }

    /// A token with one changed claim.
    fn with_claim(&self, name: &str, value: Value) -> String {
        self.forge(&self.header, &with(&self.claims, name, value))
    }

    /// A token with a claim whose value is this text, which need not be JSON.
    fn with_claim_text(&self, name: &str, text: &str) -> String {
        let claims = self.claims_with_text(name, text);
        self.forger.sign(self.header.to_string(), claims)
    }

    /// The claims, one of them with this text as its value, which need not be JSON.
    fn claims_with_text(&self, name: &str, text: &str) -> String {
        let claims = with(&self.claims, name, json!("@@")).to_string();
        claims.replace("\"@@\"", text)
    }

    async fn at_the_api(&self, token: &str) -> Reply {
        self.prokura
            .try_get_account(token, &self.prokura.root.id)
            .await
    }

    async fn at_introspection(&self, token: &str) -> Value {
        self.prokura.introspect(&self.prokura.root, token).await
    }

    async fn assert_believed(&self, what: &str, token: &str) {
        assert_eq!(self.at_the_api(token).await.status, 200, "{what}");
        let answer = self.at_introspection(token).await;
        assert_eq!(answer["active"], true, "{what}");
    }

    async fn assert_refused(&self, what: &str, token: &str) {
        let answer = self.at_introspection(token).await;
        assert_eq!(answer, json!({ "active": false }), "{what}");
        if token.contains(|char: char| char.is_ascii_control() || !char.is_ascii()) {
            // These bytes cannot be sent in a header.
            return;
        }
        let reply = self.at_the_api(token).await;
        // RFC 6750 §2.1: a value that is not a `token68` is a malformed request.
        let (status, error) = if is_token68(token) {
            (401, "invalid_token")
        } else {
            (400, "invalid_request")
        };
        assert_eq!(reply.status, status, "{what}");
        let challenge = reply.header("www-authenticate");
        assert!(challenge.starts_with("Bearer realm="), "{what}");
        assert!(challenge.contains(&format!("error=\"{error}\"")), "{what}");
        reply.expect_api_error(status, error);
    }
}

fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object
}

fn without(object: &Value, name: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove(name).unwrap();
    object
}

fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let is_in = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(is_in)
}

fn signature_of(token: &str) -> Vec<u8> {
    let (_, signature) = token.rsplit_once('.').unwrap();
    BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap()
}

fn with_signature(token: &str, signature: &[u8]) -> String {
    let (message, _) = token.rsplit_once('.').unwrap();
    format!("{message}.{}", encode(signature))
}

fn hex(text: &str) -> Vec<u8> {
    base16ct::lower::decode_vec(text).unwrap()
}
