//! What the owner of a cache decides and observes.

/// Decides about the records of a cache, and observes those that leave it. Called while a shard is locked: an implementation must
/// not call the cache.
pub(crate) trait Policy<const KEY: usize> {
    /// Whether a record must not be evicted.
    fn is_pinned(&self, key: &[u8; KEY], record: &[u8]) -> bool;

    /// Called with each record that leaves the cache: evicted, replaced or removed.
    fn on_removal(&self, key: &[u8; KEY], record: &[u8]);
}

/// The policy of a cache whose records are all alike: none is pinned, and nobody observes their eviction.
pub(crate) struct NeverPinned;

impl<const KEY: usize> Policy<KEY> for NeverPinned {
    fn is_pinned(&self, _: &[u8; KEY], _: &[u8]) -> bool {
        false
    }

    fn on_removal(&self, _: &[u8; KEY], _: &[u8]) {}
}
