//! What a server remembers of a database that it alone changes.
//!
//! One server owns a SQLite file, so what it has read stays true until it writes, and every write here ends with the
//! memory of what it touched. (`prokura bootstrap` writes beside it, but only adds what nobody can have asked for yet.) On
//! PostgreSQL other nodes write too, and nothing is remembered.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use quick_cache::sync::Cache;

use super::{Credentials, StoreError};
use crate::domain::{ServiceAccountId, Timestamp, TokenId};

/// How many accounts are remembered, the most used ones: some 40 MB.
const ACCOUNTS: usize = 50_000;

pub(super) struct Memory {
    accounts: Cache<ServiceAccountId, Arc<Credentials>>,
    /// Every revoked token that has not expired, and when it will.
    revoked: RwLock<HashMap<TokenId, Timestamp>>,
}

impl Memory {
    pub(super) fn new(revoked: HashMap<TokenId, Timestamp>) -> Self {
        Self {
            accounts: Cache::new(ACCOUNTS),
            revoked: RwLock::new(revoked),
        }
    }

    /// What is remembered of an account.
    pub(super) fn account(&self, id: ServiceAccountId) -> Option<Arc<Credentials>> {
        self.accounts.get(&id)
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
        let found = read.await?.map(Arc::new);
        if let Some(found) = &found {
            let _ = guard.insert(Arc::clone(found));
        }
        Ok(found)
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
