//! The data keys: the symmetric keys that protect what is stored and issued. They never change while the server runs.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{
    data_key_material::{DataKeyMaterial, Purpose},
    idempotency::IdempotencyKeys,
    sealing::SealingKey,
    signing_key_seal::SigningKeySeal,
};
use crate::domain::{ClientSecret, SecretDigest};

/// The data keys, ready for use.
pub struct DataKeys {
    secret_digests: Hmac<Sha256>,
    /// Seals opaque access tokens.
    pub(super) opaque_tokens: SealingKey,
    /// Seals the positions in list cursors.
    pub cursors: SealingKey,
    /// Seals the recorded responses to idempotent requests.
    pub idempotency: IdempotencyKeys,
    /// Seals the signing keys in the store.
    pub signing_key_seal: SigningKeySeal,
}

impl DataKeys {
    /// The keys with this material.
    pub fn new(material: &DataKeyMaterial) -> Self {
        Self {
            secret_digests: Hmac::new_from_slice(material.of(Purpose::SecretDigests))
                .expect("HMAC accepts keys of any length"),
            opaque_tokens: SealingKey::new(material.of(Purpose::OpaqueTokens)),
            cursors: SealingKey::new(material.of(Purpose::Cursors)),
            idempotency: IdempotencyKeys::new(material),
            signing_key_seal: SigningKeySeal::new(material),
        }
    }

    /// The stored form of `secret`: the HMAC-SHA-256 of its text.
    ///
    /// A random secret of 256 bits needs no slow hash (NIST SP 800-63B §5.1.2). With a slow hash, anyone could keep the
    /// server busy.
    pub fn digest(&self, secret: &ClientSecret) -> SecretDigest {
        let mut digest = self.secret_digests.clone();
        digest.update(secret.expose().as_bytes());
        SecretDigest::from_bytes(digest.finalize().into_bytes().into())
    }
}
