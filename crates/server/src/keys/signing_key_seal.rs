//! Signing keys at rest: sealed with a data key, and bound to their `kid`.

use zeroize::Zeroizing;

use super::{
    data_key_material::{DataKeyMaterial, Purpose},
    sealing::{NONCE_BYTES, SealingKey},
    signing_key::SigningKey,
};
use crate::domain::{SigningKeyLife, StoredSigningKey};

/// Seals and opens stored signing keys.
pub struct SigningKeySeal(SealingKey);

/// A stored signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenKeyError {
    /// The key does not open with the data key.
    #[error(
        "the signing key {0} cannot be decrypted: it was altered, or belongs to another database"
    )]
    Sealed(String),
    /// The decrypted content is not the key with this id.
    #[error("the signing key {0} is damaged")]
    Damaged(String),
}

impl SigningKeySeal {
    pub(super) fn new(material: &DataKeyMaterial) -> Self {
        Self(SealingKey::new(material.of(Purpose::SigningKeys)))
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

    /// The PKCS #8 document of `stored`. `None`: it was altered, or sealed with another data key.
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
