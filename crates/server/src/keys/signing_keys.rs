//! The set of signing keys in use, with everything that depends on it.

use std::sync::Arc;

use super::{
    jwt,
    signing_key::{KeyError, SigningKey},
    signing_key_seal::{OpenKeyError, SigningKeySeal},
    verified_tokens::{TextDigest, VerifiedTokens},
};
use crate::domain::{AccessToken, PublicJwk, SigningAlgorithm, StoredSigningKey};

/// The set of signing keys in use.
///
/// The set never changes; the key ring replaces it as a whole. So the published keys and the memory of verified tokens
/// always belong to the keys beside them.
pub(super) struct SigningKeys {
    /// Oldest first. The newest key of an algorithm signs, every key verifies.
    keys: Vec<SigningKey>,
    published: Arc<[PublicJwk]>,
    verified: VerifiedTokens,
}

impl SigningKeys {
    /// Opens the `stored` keys, oldest first. The JWKS publishes those of the `algorithms`.
    pub(super) fn open(
        seal: &SigningKeySeal,
        stored: &[StoredSigningKey],
        algorithms: &[SigningAlgorithm],
    ) -> Result<Self, OpenKeyError> {
        let keys = stored
            .iter()
            .map(|stored| seal.open(stored))
            .collect::<Result<Vec<_>, _>>()?;
        let published = keys
            .iter()
            .map(SigningKey::jwk)
            .filter(|jwk| algorithms.contains(&jwk.algorithm))
            .cloned()
            .collect();
        Ok(Self {
            keys,
            published,
            verified: VerifiedTokens::new(),
        })
    }

    /// The public keys of the algorithms in use.
    pub(super) fn published(&self) -> Arc<[PublicJwk]> {
        Arc::clone(&self.published)
    }

    /// Signs `token` with the newest key of `algorithm`.
    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        issuer: &str,
        token: &AccessToken,
    ) -> Result<String, KeyError> {
        let key = self
            .keys
            .iter()
            .rfind(|key| key.jwk().algorithm == algorithm)
            .ok_or(KeyError)?;
        jwt::sign(key, issuer, token)
    }

    /// The token in the JWT `text`. `None`: no key of the set signed it for `issuer`, or its audience is unknown.
    pub(super) fn verify(
        &self,
        text: &str,
        issuer: &str,
        is_known_audience: impl Fn(&str) -> bool,
    ) -> Option<AccessToken> {
        if text.len() > jwt::MAX_CHARS {
            return None;
        }
        let digest = TextDigest::of(text);
        if let Some(known) = self.verified.get(&digest) {
            return Some(known);
        }
        let key = |kid: &str| self.keys.iter().find(|key| key.jwk().kid == kid);
        let token = jwt::open(text, issuer, key, is_known_audience)?;
        self.verified.insert(&digest, &token);
        Some(token)
    }
}
