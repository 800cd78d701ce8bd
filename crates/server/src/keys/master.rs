//! The master key, from which every other symmetric key is derived.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::SealingKey;

/// 32 random bytes. Whoever has them and the database has everything but the client secrets.
pub struct MasterKey(Prk);

/// A text that is no master key.
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
    /// Its length in bytes.
    pub const BYTES: usize = 32;

    /// The key with these bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        Self(Salt::new(HKDF_SHA256, b"prokura").extract(bytes))
    }

    /// Reads the text of a master key file: 32 bytes in base64 on one line.
    pub fn parse(text: &str) -> Result<Self, InvalidMasterKey> {
        let bytes = BASE64_STANDARD
            .decode(text.trim_ascii())
            .map(Zeroizing::new)
            .map_err(|_| InvalidMasterKey)?;
        let bytes =
            Zeroizing::new(<[u8; Self::BYTES]>::try_from(&**bytes).map_err(|_| InvalidMasterKey)?);
        Ok(Self::from_bytes(&bytes))
    }

    /// The text of a master key file with these bytes.
    pub fn encode(bytes: &[u8; Self::BYTES]) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", BASE64_STANDARD.encode(bytes)))
    }

    /// What a store remembers to tell this master key from another. It tells nothing about the key.
    pub fn check_value(&self) -> [u8; 32] {
        *self.derive("master key check")
    }

    /// HMAC-SHA-256 with its key taken in. A clone of it, for each message, has only the message left to take in.
    pub(super) fn hmac(&self, purpose: &str) -> Hmac<Sha256> {
        Hmac::new_from_slice(&*self.derive(purpose)).expect("a key of any length will do")
    }

    pub(super) fn sealing_key(&self, purpose: &str) -> SealingKey {
        SealingKey::new(&self.derive(purpose))
    }

    /// Where keys begin that need a second part, which somebody else has: see [`derive_with`].
    pub(super) fn salt(&self, purpose: &str) -> Salt {
        Salt::new(HKDF_SHA256, &*self.derive(purpose))
    }

    /// HKDF-SHA-256 (RFC 5869): one independent key for each purpose.
    fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        expand(&self.0, purpose)
    }
}

/// The key that follows from a master key's [salt](MasterKey::salt) and `part` together, and from neither alone (RFC 5869
/// §3.1: a salt may be secret).
pub(super) fn derive_with(salt: &Salt, part: &[u8]) -> Zeroizing<[u8; 32]> {
    expand(&salt.extract(part), "key of two parts")
}

fn expand(from: &Prk, purpose: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    from.expand(&[b"prokura v1 ", purpose.as_bytes()], Bytes32)
        .and_then(|okm| okm.fill(&mut *key))
        .expect("32 bytes are within what HKDF-SHA-256 gives");
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
    fn each_purpose_has_a_key_of_its_own() {
        let key = MasterKey::from_bytes(&[7; 32]);
        assert_ne!(key.derive("a"), key.derive("b"));
        assert_ne!(
            key.check_value(),
            MasterKey::from_bytes(&[8; 32]).check_value()
        );
    }
}
