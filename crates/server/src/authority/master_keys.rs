//! The master keys that a process is given.

use crate::keys::MasterKey;

/// The master key, and the next one while the master key is being changed.
#[derive(Debug)]
pub struct MasterKeys {
    /// The master key.
    pub current: MasterKey,
    /// The master key that is about to take its place. `None`: no change is planned.
    pub next: Option<MasterKey>,
}

/// Which master key a database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedMasterKey {
    /// [`MasterKeys::current`].
    Current,
    /// [`MasterKeys::next`].
    Next,
}

impl MasterKeys {
    /// The key with this check value. `None`: it is neither.
    pub fn find(&self, check: [u8; 32]) -> Option<(UsedMasterKey, &MasterKey)> {
        let current = Some((UsedMasterKey::Current, &self.current));
        let next = self.next.as_ref().map(|key| (UsedMasterKey::Next, key));
        let mut keys = [current, next].into_iter().flatten();
        keys.find(|(_, key)| key.check_value() == check)
    }
}

impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self {
            current,
            next: None,
        }
    }
}
