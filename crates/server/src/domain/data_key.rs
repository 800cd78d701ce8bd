//! Data keys as they are stored.

/// A data key, sealed with the master key and bound to its purpose and generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedDataKey {
    /// What the key is for.
    pub purpose: String,
    /// Counts the keys of a purpose, from 1.
    pub generation: i64,
    /// The sealed key.
    pub sealed: Vec<u8>,
}
