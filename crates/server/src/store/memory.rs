//! What a server remembers of a database that it alone changes.
//!
//! One server owns a SQLite file, so what it has read stays true until it writes, and every write here ends with the
//! memory of what it touched. (`prokura bootstrap` writes beside it, but only adds what nobody can have asked for yet.) On
//! PostgreSQL other nodes write too, and nothing is remembered.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
};

use quick_cache::{UnitWeighter, sync::Cache};

use super::{Credentials, StoreError};
use crate::domain::{ServiceAccount, ServiceAccountId, Timestamp, TokenId};

/// How many accounts are remembered, the most used ones: some 50 MB.
const ACCOUNTS: u64 = 80_000;

/// Before any use.
const NEVER: i64 = i64::MIN;

pub(super) struct Memory {
    accounts: Cache<ServiceAccountId, Arc<Credentials>>,
    /// Every revoked token that has not expired, and when it will.
    revoked: RwLock<HashMap<TokenId, Timestamp>>,
}

/// When an account was last used, in milliseconds, as far as was written since it was read.
#[derive(Debug)]
pub(super) struct UsedSince(AtomicI64);

impl UsedSince {
    pub(super) const fn never() -> Self {
        Self(AtomicI64::new(NEVER))
    }

    fn get(&self) -> Option<Timestamp> {
        match self.0.load(Ordering::Acquire) {
            NEVER => None,
            at => Some(Timestamp::from_millis(at)),
        }
    }

    fn advance(&self, at: Timestamp) {
        self.0.fetch_max(at.as_millis(), Ordering::AcqRel);
    }
}

impl Memory {
    pub(super) fn new(revoked: HashMap<TokenId, Timestamp>) -> Self {
        Self {
            // It grows to that; a server of a few accounts stays small.
            accounts: Cache::with_weighter(1024, ACCOUNTS, UnitWeighter),
            revoked: RwLock::new(revoked),
        }
    }

    /// What is remembered of an account; of its use, what there was when it was read.
    pub(super) fn account(&self, id: ServiceAccountId) -> Option<Arc<Credentials>> {
        self.accounts.get(&id)
    }

    /// The account, if it is remembered, with the use that is written.
    pub(super) fn account_in_use(&self, id: ServiceAccountId) -> Option<ServiceAccount> {
        let known = self.accounts.get(&id)?;
        let mut account = (*known.account).clone();
        account.last_used_at = account.last_used_at.max(known.used_since.get());
        Some(account)
    }

    /// What is remembered of an account, or else what `read` finds, remembered from then on. Unless it is
    /// [forgotten](Self::forget) while it is being read: then what was read may be from before the change, and is not kept.
    pub(super) async fn learn(
        &self,
        id: ServiceAccountId,
        read: impl Future<Output = Result<Option<Credentials>, StoreError>>,
    ) -> Result<Option<Arc<Credentials>>, StoreError> {
        let guard = match self.accounts.get_value_or_guard_async(&id).await {
            Ok(known) => return Ok(Some(known)),
            Err(guard) => guard,
        };
        let Some(found) = read.await?.map(Arc::new) else {
            return Ok(None);
        };
        let _ = guard.insert(Arc::clone(&found));
        Ok(Some(found))
    }

    /// Remembers that an account was used at `at`. To be called like [`Self::forget`].
    pub(super) fn used(&self, id: ServiceAccountId, at: Timestamp) {
        match self.accounts.get(&id) {
            Some(known) => known.used_since.advance(at),
            // It may just be read, as it was before.
            None => self.forget(id),
        }
    }

    /// Forgets an account. To be called after a change is committed and before it is acknowledged.
    pub(super) fn forget(&self, id: ServiceAccountId) {
        self.accounts.remove(&id);
    }

    pub(super) fn is_revoked(&self, token: TokenId) -> bool {
        self.revoked
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&token)
    }

    /// Remembers that a token is revoked. To be called like [`Self::forget`].
    pub(super) fn revoke(&self, token: TokenId, expires_at: Timestamp) {
        self.revoked
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(token, expires_at);
    }

    /// Forgets the revoked tokens that expire by `expired_by`.
    pub(super) fn sweep(&self, expired_by: Timestamp) {
        self.revoked
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, expires_at| *expires_at > expired_by);
    }
}
