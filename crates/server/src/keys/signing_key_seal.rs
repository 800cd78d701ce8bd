//! Signing keys at rest: sealed with a key derived from the master key, and bound to their `kid`.

use zeroize::Zeroizing;

use super::{
    master::MasterKey,
    sealing::{NONCE_BYTES, SealingKey},
    signing_key::SigningKey,
};
use crate::domain::{SigningKeyLife, StoredSigningKey};

/// Seals and opens stored signing keys.
pub struct SigningKeySeal(SealingKey);

/// A stored signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenKeyError {
    /// The key does not open with this master key.
    #[error(
        "the signing key {0} cannot be decrypted: it was altered, or encrypted with another master key"
    )]
    Sealed(String),
    /// The decrypted content is not the key with this id.
    #[error("the signing key {0} is damaged")]
    Damaged(String),
}

impl SigningKeySeal {
    /// Derives the seal from `master`.
    pub fn new(master: &MasterKey) -> Self {
        Self(master.sealing_key("signing keys"))
    }

    /// Seals a key that [`SigningKey::generate`] made, for the store.
    pub fn seal(
        &self,
        (key, pkcs8): &(SigningKey, Zeroizing<Vec<u8>>),
        nonce: [u8; NONCE_BYTES],
        life: SigningKeyLife,
    ) -> StoredSigningKey {
        let id = key.jwk().kid.clone();
        StoredSigningKey {
            sealed_private_key: self.0.seal_whole(nonce, id.as_bytes(), pkcs8),
            public_key: key.public_key().to_vec(),
            id,
            algorithm: key.jwk().algorithm,
            life,
        }
    }

    /// The PKCS #8 document of `stored`. `None`: it was altered, or sealed with another master key.
    pub fn unseal(&self, stored: &StoredSigningKey) -> Option<Zeroizing<Vec<u8>>> {
        let mut sealed = Zeroizing::new(stored.sealed_private_key.clone());
        self.0
            .open_whole(stored.id.as_bytes(), &mut sealed)
            .map(|pkcs8| Zeroizing::new(pkcs8.to_vec()))
    }

    /// The signing key in `stored`.
    pub fn open(&self, stored: &StoredSigningKey) -> Result<SigningKey, OpenKeyError> {
        let pkcs8 = self
            .unseal(stored)
            .ok_or_else(|| OpenKeyError::Sealed(stored.id.clone()))?;
        SigningKey::from_pkcs8(stored.algorithm, &pkcs8)
            .ok()
            .filter(|key| key.jwk().kid == stored.id)
            .ok_or_else(|| OpenKeyError::Damaged(stored.id.clone()))
    }
}
