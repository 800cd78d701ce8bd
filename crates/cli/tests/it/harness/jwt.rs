//! JWTs verified by another implementation, and JWTs forged with the server's own keys.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet},
};
use prokura_server::{domain::SigningAlgorithm, keys::SigningKey};
use serde_json::{Value, json};

/// One segment of a JWT: base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The header of a JWT. The signature is not verified.
pub fn header_of(token: &str) -> Value {
    segment(token, 0)
}

/// The claims of a JWT. The signature is not verified.
pub fn claims_of(token: &str) -> Value {
    segment(token, 1)
}

fn segment(token: &str, at: usize) -> Value {
    let segment = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

/// Verifies `token` as an API that knows only the server's JWKS, the `issuer` and its own name: its claims. The times
/// are not checked, because a test's clock is far from the real one.
#[track_caller]
pub fn verify(keys: &JwkSet, issuer: &str, audience: &str, token: &str) -> Value {
    let kid = decode_header(token).unwrap().kid.unwrap();
    let key = keys.find(&kid).expect("the key is published");
    let mut validation = Validation::new(algorithm(key));
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    let key = DecodingKey::from_jwk(key).unwrap();
    decode::<Value>(token, &key, &validation).unwrap().claims
}

/// RFC 8725 §3.1: the algorithm is that of the published key, whatever the token says.
fn algorithm(key: &Jwk) -> Algorithm {
    let name = key.common.key_algorithm.expect("`alg` is published");
    Algorithm::try_from(name).unwrap()
}

/// A forger who holds a signing key of the server and signs what the server never would.
pub struct Forger {
    key: SigningKey,
    /// The private key, a PKCS #8 document.
    pub pkcs8: Vec<u8>,
}

impl Forger {
    /// A forger with the private key in this PKCS #8 document.
    pub fn new(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Self {
        Self {
            key: SigningKey::from_pkcs8(algorithm, pkcs8).unwrap(),
            pkcs8: pkcs8.to_vec(),
        }
    }

    /// The header that the server writes with this key.
    pub fn header(&self) -> Value {
        let jwk = self.key.jwk();
        json!({ "alg": jwk.algorithm.as_str(), "typ": "at+jwt", "kid": jwk.kid })
    }

    /// The public key in the encoding of its algorithm.
    pub fn public_key(&self) -> &[u8] {
        self.key.public_key()
    }

    /// Signs any header and claims.
    pub fn sign(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        self.sign_message(&format!("{}.{}", encode(header), encode(claims)))
    }

    /// Signs any text as the first two segments of a token.
    pub fn sign_message(&self, message: &str) -> String {
        let signature = self.key.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", encode(signature))
    }
}
