//! The keys that follow from the master key. They never change while the server runs.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::{
    idempotency::IdempotencyKeys, master::MasterKey, sealing::SealingKey,
    signing_key_seal::SigningKeySeal,
};
use crate::domain::{ClientSecret, SecretDigest};

/// The keys that follow from the master key, derived once.
pub struct DerivedKeys {
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

impl DerivedKeys {
    /// Derives the keys from `master`.
    pub fn new(master: &MasterKey) -> Self {
        Self {
            secret_digests: master.hmac("secret digests"),
            opaque_tokens: master.sealing_key("opaque tokens"),
            cursors: master.sealing_key("cursors"),
            idempotency: IdempotencyKeys::new(master),
            signing_key_seal: SigningKeySeal::new(master),
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
