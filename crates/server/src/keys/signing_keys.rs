//! The set of signing keys in use, with everything that depends on it.

use std::sync::Arc;

use super::{
    jwt,
    signing_key::{KeyError, SigningKey},
    signing_key_seal::{OpenKeyError, SigningKeySeal},
    verified_tokens::{TextDigest, VerifiedTokens},
};
use crate::domain::{
    AccessToken, OrganizationId, PublicJwk, SigningAlgorithm, SigningKeyLife, SigningKeySet,
    Timestamp, signing,
};

/// The set of signing keys in use: all that are stored and not revoked.
///
/// The set never changes; the key ring replaces it as a whole. So the published keys and the memory of verified tokens
/// always belong to the keys beside them.
pub(super) struct SigningKeys {
    keys: Vec<Key>,
    published: Arc<[PublicJwk]>,
    verified: VerifiedTokens,
}

struct Key {
    key: SigningKey,
    life: SigningKeyLife,
}

impl AsRef<SigningKeyLife> for Key {
    fn as_ref(&self) -> &SigningKeyLife {
        &self.life
    }
}

/// The outcome of opening the text of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The token.
    Token(AccessToken),
    /// A JWT that names a key which is not in the set. Another node may have created the key.
    UnknownKey,
    /// This server did not issue it.
    Nothing,
}

impl SigningKeys {
    /// Opens the keys of `stored` that are not revoked. All of them verify tokens and are published, whatever this node signs with.
    pub(super) fn open(
        seal: &SigningKeySeal,
        stored: &SigningKeySet,
    ) -> Result<Self, OpenKeyError> {
        let live = stored.keys.iter();
        let keys = live
            .filter(|stored| stored.life.revoked_at.is_none())
            .map(|stored| {
                Ok(Key {
                    key: seal.open(stored)?,
                    life: stored.life,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let published = keys.iter().map(|key| key.key.jwk().clone()).collect();
        Ok(Self {
            keys,
            published,
            verified: VerifiedTokens::new(),
        })
    }

    /// The public keys of the set.
    pub(super) fn published(&self) -> Arc<[PublicJwk]> {
        Arc::clone(&self.published)
    }

    /// Signs `token` with the key of `algorithm` that signs at `now`.
    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        issuer: &str,
        token: &AccessToken,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        let keys = self.keys.iter();
        let keys = keys.filter(|key| key.key.jwk().algorithm == algorithm);
        let signer = signing(keys, now).ok_or(KeyError)?;
        jwt::sign(&signer.key, issuer, token)
    }

    /// The token in the JWT `text`, if a key of the set signed it for `issuer`.
    pub(super) fn verify(
        &self,
        text: &str,
        issuer: &str,
        is_usable: impl Fn(OrganizationId, &str) -> bool,
    ) -> Opened {
        if text.len() > jwt::MAX_CHARS {
            return Opened::Nothing;
        }
        let digest = TextDigest::of(text);
        if let Some(known) = self.verified.get(&digest) {
            return Opened::Token(known);
        }
        let mut is_unknown = false;
        let key = |kid: &str| {
            let mut keys = self.keys.iter().map(|key| &key.key);
            let found = keys.find(|key| key.jwk().kid == kid);
            is_unknown = found.is_none() && PublicJwk::is_kid(kid);
            found
        };
        match jwt::open(text, issuer, key, is_usable) {
            Some(token) => {
                self.verified.insert(&digest, &token);
                Opened::Token(token)
            }
            None if is_unknown => Opened::UnknownKey,
            None => Opened::Nothing,
        }
    }
}
