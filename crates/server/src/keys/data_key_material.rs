//! The bytes of the data keys: made once for an installation, and stored sealed with the master key.
//!
//! ```text
//! master key ──HKDF──► key "data keys" ──seals──► each data key, bound to its purpose and generation
//! ```
//!
//! So another master key can seal the same data keys, and nothing that they protect changes.

use std::fmt;

use zeroize::Zeroizing;

use super::{master::MasterKey, sealing::NONCE_BYTES};
use crate::domain::SealedDataKey;

/// The length of a data key, in bytes.
const KEY_BYTES: usize = 32;
/// The generation of all data keys. Only the first exists so far.
const GENERATION: i64 = 1;

/// What a data key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    SecretDigests,
    OpaqueTokens,
    Cursors,
    IdempotentRequests,
    IdempotentAnswers,
    SigningKeys,
}

impl Purpose {
    /// All purposes, in the order of the variants.
    const ALL: [Self; 6] = [
        Self::SecretDigests,
        Self::OpaqueTokens,
        Self::Cursors,
        Self::IdempotentRequests,
        Self::IdempotentAnswers,
        Self::SigningKeys,
    ];

    /// The name in the database. Earlier versions derived the key from the master key by the same name.
    const fn name(self) -> &'static str {
        match self {
            Self::SecretDigests => "secret digests",
            Self::OpaqueTokens => "opaque tokens",
            Self::Cursors => "cursors",
            Self::IdempotentRequests => "idempotent requests",
            Self::IdempotentAnswers => "idempotent answers",
            Self::SigningKeys => "signing keys",
        }
    }

    /// The place that the seal is bound to.
    fn place(self) -> Vec<u8> {
        let generation = GENERATION.to_be_bytes();
        [&generation, self.name().as_bytes()].concat()
    }
}

/// The bytes of all data keys. They do not print, and are wiped on drop.
pub struct DataKeyMaterial([Zeroizing<[u8; KEY_BYTES]>; Purpose::ALL.len()]);

/// The stored data keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenDataKeyError {
    /// There is no key for this purpose.
    #[error("the database has no data key for {0}")]
    Missing(&'static str),
    /// The key for this purpose does not open with the master key that the database names.
    #[error("the data key for {0} cannot be decrypted: it was altered")]
    Sealed(&'static str),
    /// There is a key that this version does not know.
    #[error("the database has a data key for {0:?} that this version of Prokura does not know")]
    Unknown(String),
}

impl DataKeyMaterial {
    /// How many random bytes new keys take.
    pub const RANDOM_BYTES: usize = KEY_BYTES * Purpose::ALL.len();
    /// How many random bytes sealing takes.
    pub const NONCES_BYTES: usize = NONCE_BYTES * Purpose::ALL.len();

    /// New keys, for a new installation.
    pub fn from_random(random: &[u8; Self::RANDOM_BYTES]) -> Self {
        let (keys, _) = random.as_chunks::<KEY_BYTES>();
        Self(std::array::from_fn(|at| Zeroizing::new(keys[at])))
    }

    /// The keys of an installation of a version that derived them from the master key.
    pub fn derived_from(master: &MasterKey) -> Self {
        Self(Purpose::ALL.map(|purpose| master.derive(purpose.name())))
    }

    /// The keys, sealed with `master`. The `nonces` are random.
    pub fn seal(
        &self,
        master: &MasterKey,
        nonces: &[u8; Self::NONCES_BYTES],
    ) -> Vec<SealedDataKey> {
        let seal = master.data_key_seal();
        let (nonces, _) = nonces.as_chunks::<NONCE_BYTES>();
        let keys = Purpose::ALL.iter().zip(&self.0).zip(nonces);
        keys.map(|((purpose, key), nonce)| SealedDataKey {
            purpose: purpose.name().to_owned(),
            generation: GENERATION,
            sealed: seal.seal_whole(*nonce, &purpose.place(), &**key),
        })
        .collect()
    }

    /// Opens keys that [`Self::seal`] sealed with `master`.
    pub fn open(master: &MasterKey, sealed: &[SealedDataKey]) -> Result<Self, OpenDataKeyError> {
        let seal = master.data_key_seal();
        let is_known = |stored: &&SealedDataKey| {
            let mut purposes = Purpose::ALL.iter();
            stored.generation == GENERATION
                && purposes.any(|purpose| purpose.name() == stored.purpose)
        };
        if let Some(unknown) = sealed.iter().find(|stored| !is_known(stored)) {
            return Err(OpenDataKeyError::Unknown(unknown.purpose.clone()));
        }
        let mut material = Self(Purpose::ALL.map(|_| Zeroizing::new([0; KEY_BYTES])));
        for (purpose, key) in Purpose::ALL.into_iter().zip(&mut material.0) {
            let name = purpose.name();
            let stored = sealed.iter().find(|stored| stored.purpose == name);
            let stored = stored.ok_or(OpenDataKeyError::Missing(name))?;
            let mut bytes = Zeroizing::new(stored.sealed.clone());
            let opened = seal.open_whole(&purpose.place(), &mut bytes);
            let opened = opened.filter(|opened| opened.len() == KEY_BYTES);
            key.copy_from_slice(opened.ok_or(OpenDataKeyError::Sealed(name))?);
        }
        Ok(material)
    }

    /// The key for a purpose.
    pub(super) fn of(&self, purpose: Purpose) -> &[u8; KEY_BYTES] {
        &self.0[purpose as usize]
    }
}

impl fmt::Debug for DataKeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKeyMaterial(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(byte: u8) -> MasterKey {
        MasterKey::from_bytes(&[byte; 32])
    }

    fn random() -> [u8; DataKeyMaterial::RANDOM_BYTES] {
        std::array::from_fn(|at| (at / KEY_BYTES) as u8 + 1)
    }

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let random = DataKeyMaterial::from_random(&random());
        let derived = DataKeyMaterial::derived_from(&master(7));
        for (at, purpose) in Purpose::ALL.into_iter().enumerate() {
            assert_eq!(*random.of(purpose), [at as u8 + 1; 32]);
            assert_eq!(*derived.of(purpose), *master(7).derive(purpose.name()));
        }
    }

    #[test]
    fn sealed_keys_open_with_their_master_key_alone() {
        let material = DataKeyMaterial::from_random(&random());
        let sealed = material.seal(&master(7), &[9; DataKeyMaterial::NONCES_BYTES]);
        let opened = DataKeyMaterial::open(&master(7), &sealed).unwrap();
        assert!(material.0.iter().eq(&opened.0));
        let refused = DataKeyMaterial::open(&master(8), &sealed).unwrap_err();
        assert_eq!(refused, OpenDataKeyError::Sealed("secret digests"));

        let resealed = opened.seal(&master(8), &[9; DataKeyMaterial::NONCES_BYTES]);
        let opened = DataKeyMaterial::open(&master(8), &resealed).unwrap();
        assert!(material.0.iter().eq(&opened.0));
    }

    #[test]
    fn a_sealed_key_that_was_moved_altered_lost_or_added_is_refused() {
        let material = DataKeyMaterial::from_random(&random());
        let sealed = material.seal(&master(7), &[9; DataKeyMaterial::NONCES_BYTES]);
        let refused = |change: fn(&mut Vec<SealedDataKey>)| {
            let mut sealed = sealed.clone();
            change(&mut sealed);
            DataKeyMaterial::open(&master(7), &sealed).unwrap_err()
        };
        let exchanged = refused(|sealed| {
            let first = sealed[0].sealed.clone();
            sealed[0].sealed = std::mem::replace(&mut sealed[1].sealed, first);
        });
        assert_eq!(exchanged, OpenDataKeyError::Sealed("secret digests"));
        let altered = refused(|sealed| sealed[5].sealed[20] ^= 1);
        assert_eq!(altered, OpenDataKeyError::Sealed("signing keys"));
        let lost = refused(|sealed| drop(sealed.remove(2)));
        assert_eq!(lost, OpenDataKeyError::Missing("cursors"));
        let newer = refused(|sealed| sealed[0].generation = 2);
        assert!(matches!(newer, OpenDataKeyError::Unknown(_)));
    }
}
