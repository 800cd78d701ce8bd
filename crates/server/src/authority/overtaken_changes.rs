//! Changes that were overtaken by another change of the same account take turns, so that each needs few attempts.

use tokio::sync::{Mutex, MutexGuard};

use crate::domain::ServiceAccountId;

/// The number of turns that can be taken at the same time. Accounts that share a place wait for each other.
const PLACES: usize = 256;

/// The places where changes wait for their turn.
pub(super) struct OvertakenChanges([Mutex<()>; PLACES]);

impl Default for OvertakenChanges {
    fn default() -> Self {
        Self([const { Mutex::const_new(()) }; PLACES])
    }
}

impl OvertakenChanges {
    /// Waits until no other overtaken change of `account` is under way.
    pub(super) async fn turn(&self, account: ServiceAccountId) -> MutexGuard<'_, ()> {
        // The last bytes of an id are random.
        let [.., last] = account.as_bytes();
        self.0[usize::from(*last)].lock().await
    }
}
