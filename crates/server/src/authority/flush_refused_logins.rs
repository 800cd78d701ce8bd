//! `flush_refused_logins`: writes the counted refused logins as audit events.

use std::collections::{HashMap, hash_map::Entry};

use super::{state::Authority, unavailable::Unavailable};
use crate::domain::RefusedLogins;

impl Authority {
    /// Writes the refused logins of past minutes. Call it every few seconds. Whatever cannot be written is kept for the
    /// next call.
    ///
    /// Do not drop the future before it completes, unless this is the last call: the events that are being written would be
    /// written twice.
    pub async fn flush_refused_logins(&self) -> Result<(), Unavailable> {
        let current = self.clock.now()?.whole_minutes();
        self.write_refused_logins(Some(current)).await
    }

    /// Like [`Self::flush_refused_logins`], with the current minute. Call it after the last request.
    pub async fn flush_all_refused_logins(&self) -> Result<(), Unavailable> {
        self.write_refused_logins(None).await
    }

    async fn write_refused_logins(&self, current: Option<i64>) -> Result<(), Unavailable> {
        let mut waiting = self.refused_logins.waiting.lock().await;
        waiting.keep(self.refused_logins.take(current));
        loop {
            let mut batch = waiting.next_batch();
            if batch.is_empty() {
                return Ok(());
            }
            self.resolve_wrong_secrets(&mut batch).await?;
            let written = batch.len();
            let events = batch.into_iter().map(RefusedLogins::into_event);
            self.store.append_audit_events(events.collect()).await?;
            waiting.written(written);
        }
    }

    /// Looks up which wrong secrets are revoked or expired secrets of the account. The owner of an account wants to know
    /// above all whether a replaced secret is still in use.
    async fn resolve_wrong_secrets(&self, batch: &mut [RefusedLogins]) -> Result<(), Unavailable> {
        let mut known = HashMap::new();
        for refused in batch
            .iter_mut()
            .filter(|refused| refused.has_wrong_secrets())
        {
            let account = refused.account_id;
            let ended = match known.entry(account) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let ended = self.store.find_ended_secrets(account);
                    new.insert(ended.await?)
                }
            };
            refused.resolve_wrong_secrets(ended);
        }
        Ok(())
    }
}
