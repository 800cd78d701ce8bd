//! Signing keys, as they are kept.

use super::{SigningAlgorithm, Timestamp};

/// A signing key as it is stored.
#[derive(Clone, Debug)]
pub struct StoredSigningKey {
    /// Its `kid`.
    pub id: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// PKCS #8, sealed under a key derived from the master key and bound to `id`.
    pub sealed_private_key: Vec<u8>,
    /// The public half, in the encoding of its algorithm.
    pub public_key: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}
