//! The master key, which seals the data keys.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use super::sealing::SealingKey;

/// The master key: 32 random bytes. With it, the database reveals everything but the client secrets. Other master keys can seal the
/// same data keys, so it can be changed.
pub struct MasterKey(Prk);

/// The text is not a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one line with 32 bytes in base64")]
pub struct InvalidMasterKey;

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

impl MasterKey {
    /// The length of the key, in bytes.
    pub const BYTES: usize = 32;

    /// The key with these bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        Self(Salt::new(HKDF_SHA256, b"prokura").extract(bytes))
    }

    /// Parses the content of a master key file: one line of 32 bytes in base64.
    pub fn parse(text: &str) -> Result<Self, InvalidMasterKey> {
        let bytes = BASE64_STANDARD
            .decode(text.trim_ascii())
            .map(Zeroizing::new)
            .map_err(|_| InvalidMasterKey)?;
        let bytes =
            Zeroizing::new(<[u8; Self::BYTES]>::try_from(&**bytes).map_err(|_| InvalidMasterKey)?);
        Ok(Self::from_bytes(&bytes))
    }

    /// The content of a master key file with these bytes.
    pub fn encode(bytes: &[u8; Self::BYTES]) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", BASE64_STANDARD.encode(bytes)))
    }

    /// A value that the store keeps to recognize the master key. It reveals nothing about the key.
    pub fn check_value(&self) -> [u8; 32] {
        *self.derive("master key check")
    }

    /// The key that seals the data keys.
    pub(super) fn data_key_seal(&self) -> SealingKey {
        SealingKey::new(&self.derive("data keys"))
    }

    /// HKDF-SHA-256 (RFC 5869): an independent key for each purpose.
    pub(super) fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        expand(&self.0, purpose)
    }
}

/// A salt for [`derive_with`] that is the secret `key`.
pub(super) fn secret_salt(key: &[u8; 32]) -> Salt {
    Salt::new(HKDF_SHA256, key)
}

/// The key that follows from a [salt](secret_salt) and `part` together, and from neither alone. RFC 5869 §3.1: a salt may be
/// secret.
pub(super) fn derive_with(salt: &Salt, part: &[u8]) -> Zeroizing<[u8; 32]> {
    expand(&salt.extract(part), "key of two parts")
}

fn expand(from: &Prk, purpose: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    from.expand(&[b"prokura v1 ", purpose.as_bytes()], Bytes32)
        .and_then(|okm| okm.fill(&mut *key))
        .expect("HKDF-SHA-256 can derive 32 bytes");
    key
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_file_is_one_line_of_base64() {
        let text = MasterKey::encode(&[7; 32]);
        assert!(MasterKey::parse(&text).is_ok());
        assert!(MasterKey::parse(text.trim()).is_ok());
        for text in ["", "c2hvcnQ=", "not base64", &"A".repeat(64)] {
            assert!(MasterKey::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn purposes_and_master_keys_have_different_keys() {
        let key = MasterKey::from_bytes(&[7; 32]);
        assert_ne!(key.derive("a"), key.derive("b"));
        assert_ne!(
            key.check_value(),
            MasterKey::from_bytes(&[8; 32]).check_value()
        );
    }
}
