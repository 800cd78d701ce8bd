//! Work that runs in the background: sweeping expired records and writing counted usage.

use super::{get_usage::KEPT_DAYS, state::Authority, unavailable::Unavailable};
use crate::domain::{AccessToken, Day};

impl Authority {
    /// Deletes revoked tokens and idempotent requests that expired on every node, and usage counts older than 400 days.
    /// Call it from time to time.
    pub async fn sweep(&self) -> Result<(), Unavailable> {
        let now = self.clock.now()?;
        let expired_by = AccessToken::expired_everywhere_by(now);
        self.store.sweep_revoked_tokens(expired_by).await?;
        self.store.sweep_idempotent_requests(expired_by).await?;
        let oldest = Day::of(now).back(KEPT_DAYS);
        Ok(self.store.sweep_usage(oldest).await?)
    }

    /// Resolves when usage should be [flushed](Self::flush_usage) early. See `Store::flush_is_due`.
    pub async fn flush_is_due(&self) {
        self.store.flush_is_due().await;
    }

    /// Writes counted usage. See `Store::flush_usage`.
    pub async fn flush_usage(&self) -> Result<(), Unavailable> {
        Ok(self.store.flush_usage().await?)
    }

    /// Writes all counted usage. See `Store::flush_all_usage`.
    pub async fn flush_all_usage(&self) -> Result<(), Unavailable> {
        Ok(self.store.flush_all_usage().await?)
    }
}
