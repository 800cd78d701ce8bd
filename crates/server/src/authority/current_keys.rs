//! The signing keys of this node stay those of the database, in which any node may change them.
//!
//! Every change raises the version of the keys. A look-up that reads the database returns the version with its row, so that a request
//! which follows an acknowledged change never signs with a key, or accepts one, by an older set. A request without a look-up reads the
//! version alone.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{state::Authority, unavailable::Unavailable};
use crate::domain::PublicJwk;

/// How long the public keys are served while the store does not answer, in seconds: APIs that verify tokens offline outlast an
/// outage of the store.
const SERVED_UNCONFIRMED_SECONDS: u32 = 3600;

/// How long a request for the public keys waits for the store.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(2);

impl Authority {
    /// Loads the signing keys if they are older than `version`, which a look-up has returned. Returns whether they were.
    pub(super) async fn follow_keys(&self, version: Option<i64>) -> Result<bool, Unavailable> {
        if self.keys.is_at(version) {
            return Ok(false);
        }
        let _loading = self.key_following.loading.lock().await;
        if !self.keys.is_at(version) {
            self.load_keys().await?;
        }
        Ok(true)
    }

    /// As [`Self::follow_keys`], for a request that has looked up nothing.
    pub(super) async fn refresh_keys(&self) -> Result<bool, Unavailable> {
        let read = self.store.keys_version();
        let version = self.key_following.version(read).await?;
        self.follow_keys(Some(version)).await
    }

    /// Loads the signing keys from the store, whatever their version. If that fails, every request that needs them tries again.
    pub async fn reload_keys(&self) -> Result<(), Unavailable> {
        let _loading = self.key_following.loading.lock().await;
        self.keys.forget_version();
        self.load_keys().await
    }

    /// The public keys that verify JWTs. The same `Arc` until the keys change.
    ///
    /// While the store does not answer, these are the keys that were last known, for an hour at most.
    pub async fn published_keys(&self) -> Result<Arc<[PublicJwk]>, Unavailable> {
        let now = self.clock.now()?;
        let refreshed = timeout(CONFIRMED_WITHIN, self.refresh_keys()).await;
        let following = &self.key_following;
        match refreshed.unwrap_or(Err(Unavailable::KeysVersion)) {
            Ok(_) => following.confirm(now),
            Err(_) if following.was_confirmed_within(SERVED_UNCONFIRMED_SECONDS, now) => {}
            Err(error) => return Err(error),
        }
        Ok(self.keys.published_keys())
    }

    async fn load_keys(&self) -> Result<(), Unavailable> {
        let stored = self.store.signing_keys().await?;
        Ok(self.keys.exchange_signing_keys(&stored)?)
    }
}
