//! What the rest of the store asks of its memory.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::RwLockWriteGuard;

use super::{
    account_cache::AccountCache,
    revoked_tokens::RevokedTokens,
    unwritten_usage::{MAX_FLUSHED_RECORDS, UnwrittenUsage},
};
use crate::{
    domain::{
        Client, SecretId, SecretUse, ServiceAccount, ServiceAccountId, Timestamp, TokenId, Usage,
    },
    store::client_with_secrets::ClientWithSecrets,
};

/// Unwritten usage, and a cache of the database if this process alone changes it.
pub(in crate::store) struct Memory {
    cached: Option<Cached>,
    unwritten: Arc<UnwrittenUsage>,
}

struct Cached {
    accounts: AccountCache,
    revoked_tokens: RevokedTokens,
    /// Whether another process may be changing the database, so that a hit might not be current.
    is_suspended: AtomicBool,
}

impl Memory {
    /// A memory that caches nothing.
    pub(in crate::store) fn new() -> Self {
        Self {
            cached: None,
            unwritten: Arc::new(UnwrittenUsage::new()),
        }
    }

    /// A memory that caches. `revoked_tokens`: all that the database has, and when each expires.
    pub(in crate::store) fn caching(revoked_tokens: HashMap<TokenId, Timestamp>) -> Self {
        let unwritten = Arc::new(UnwrittenUsage::new());
        let cached = Cached {
            accounts: AccountCache::new(Arc::clone(&unwritten)),
            revoked_tokens: RevokedTokens::new(revoked_tokens),
            is_suspended: AtomicBool::new(false),
        };
        Self {
            cached: Some(cached),
            unwritten,
        }
    }

    fn accounts(&self) -> Option<&AccountCache> {
        self.cached.as_ref().map(|cached| &cached.accounts)
    }

    /// The cache, for look-ups. `None` while it is suspended.
    fn current_accounts(&self) -> Option<&AccountCache> {
        let cached = self.cached.as_ref()?;
        (!cached.is_suspended.load(Ordering::Acquire)).then_some(&cached.accounts)
    }
}

/// The cache. Without one, and while it is suspended, every look-up is a miss.
impl Memory {
    /// Whether there is a cache that writes must update.
    pub(in crate::store) const fn is_caching(&self) -> bool {
        self.cached.is_some()
    }

    /// Whether [`Memory::is_revoked`] knows all revoked tokens.
    pub(in crate::store) fn is_current(&self) -> bool {
        self.current_accounts().is_some()
    }

    /// Suspends the cache: another process is about to change the database. Look-ups that have begun may still hit.
    pub(in crate::store) fn suspend(&self) {
        if let Some(cached) = &self.cached {
            cached.is_suspended.store(true, Ordering::Release);
        }
    }

    /// Drops what is cached and uses the cache again: the other process changes nothing any more.
    pub(in crate::store) fn resume(&self) {
        if let Some(cached) = &self.cached {
            cached.accounts.clear();
            cached.is_suspended.store(false, Ordering::Release);
        }
    }

    /// A cached client.
    pub(in crate::store) fn client(&self, id: ServiceAccountId) -> Option<Client> {
        self.current_accounts()?.client(id)
    }

    /// A cached client with its secrets.
    pub(in crate::store) fn client_with_secrets(
        &self,
        id: ServiceAccountId,
    ) -> Option<ClientWithSecrets> {
        self.current_accounts()?.client_with_secrets(id)
    }

    /// Reads a client after a miss and caches it.
    pub(in crate::store) async fn load_client<E>(
        &self,
        id: ServiceAccountId,
        read: impl Future<Output = Result<Option<ClientWithSecrets>, E>>,
    ) -> Result<Option<ClientWithSecrets>, E> {
        match self.current_accounts() {
            Some(accounts) => accounts.load_client(id, read).await,
            None => read.await,
        }
    }

    /// A cached account, with the last use that is written.
    pub(in crate::store) fn account(&self, id: ServiceAccountId) -> Option<ServiceAccount> {
        self.current_accounts()?.account(id)
    }

    /// Reads an account after a miss and caches it.
    pub(in crate::store) async fn load_account<E>(
        &self,
        id: ServiceAccountId,
        read: impl Future<Output = Result<Option<ServiceAccount>, E>>,
    ) -> Result<Option<ServiceAccount>, E> {
        match self.current_accounts() {
            Some(accounts) => accounts.load_account(id, read).await,
            None => read.await,
        }
    }

    /// Drops what is cached of an account. Call it after a change is committed and before it is acknowledged, and also if it is
    /// unknown whether the change was committed.
    pub(in crate::store) fn invalidate(&self, id: ServiceAccountId) {
        if let Some(accounts) = self.accounts() {
            accounts.invalidate(id);
        }
    }

    /// Whether a token is revoked.
    pub(in crate::store) fn is_revoked(&self, token: TokenId) -> bool {
        let cached = self.cached.as_ref();
        cached.is_some_and(|cached| cached.revoked_tokens.contains(token))
    }

    /// Caches that a token is revoked. Call it after the commit and before the acknowledgement.
    pub(in crate::store) fn revoke(&self, token: TokenId, expires_at: Timestamp) {
        if let Some(cached) = &self.cached {
            cached.revoked_tokens.insert(token, expires_at);
        }
    }

    /// Drops the revoked tokens that expire by `expired_by`.
    pub(in crate::store) fn sweep_revoked_tokens(&self, expired_by: Timestamp) {
        if let Some(cached) = &self.cached {
            cached.revoked_tokens.sweep(expired_by);
        }
    }
}

/// Usage.
impl Memory {
    /// Counts a token issued.
    pub(in crate::store) fn count_issued(
        &self,
        account: ServiceAccountId,
        secret: SecretId,
        now: Timestamp,
    ) {
        let accounts = self.accounts();
        if !accounts.is_some_and(|accounts| accounts.count_issued(account, secret, now)) {
            self.unwritten
                .count(account, |usage| usage.issued(secret, now));
        }
    }

    /// Counts a token refused.
    pub(in crate::store) fn count_refused(&self, account: ServiceAccountId, now: Timestamp) {
        let accounts = self.accounts();
        if !accounts.is_some_and(|accounts| accounts.count_refused(account, now)) {
            self.unwritten.count(account, |usage| usage.refused(now));
        }
    }

    /// When the secrets of an account were used, as far as the database may not know it yet.
    pub(in crate::store) fn secret_uses(&self, account: ServiceAccountId) -> Vec<SecretUse> {
        self.with_cached_usage(account, |cached| {
            let mut usage = cached.clone();
            for used in self.unwritten.secret_uses(account) {
                usage.used(used);
            }
            usage.secrets
        })
    }

    /// What `read` reads of an account's usage from the database, and all usage that is not in there.
    pub(in crate::store) async fn with_unwritten_usage<T, E>(
        &self,
        account: ServiceAccountId,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<(T, Usage), E> {
        let _no_flush = self.unwritten.flush_lock.read().await;
        let written = read.await?;
        let unwritten = self.with_cached_usage(account, |cached| {
            let mut usage = cached.clone();
            usage.add(&self.unwritten.of(account));
            usage
        });
        Ok((written, unwritten))
    }

    fn with_cached_usage<T>(&self, account: ServiceAccountId, look: impl Fn(&Usage) -> T) -> T {
        match self.accounts() {
            Some(accounts) => accounts.with_usage(account, look),
            None => look(&Usage::default()),
        }
    }
}

/// A flush: one round of accounts, written batch by batch.
impl Memory {
    /// Resolves when a flush is due before its time: usage of very many accounts is unwritten, or blocks evictions.
    pub(in crate::store) async fn flush_is_due(&self) {
        self.unwritten.is_due.notified().await;
    }

    /// The accounts to write now.
    pub(in crate::store) fn begin_flush(&self) -> FlushRound {
        let mut accounts = self.unwritten.begin_flush();
        let cached = self
            .accounts()
            .map(|cache| cache.select_used(MAX_FLUSHED_RECORDS));
        let cached = cached.unwrap_or_default();
        accounts.extend(&cached);
        accounts.sort_unstable();
        accounts.dedup();
        FlushRound {
            accounts,
            has_more: cached.len() == MAX_FLUSHED_RECORDS,
        }
    }

    /// The unwritten usage of some accounts. Readers of usage wait until the batch is dropped.
    pub(in crate::store) async fn begin_batch(
        &self,
        accounts: &[ServiceAccountId],
    ) -> FlushBatch<'_> {
        let flush_lock = self.unwritten.flush_lock.write().await;
        if let Some(cache) = self.accounts() {
            cache.move_usage(accounts);
        }
        let usage = accounts
            .iter()
            .map(|&account| (account, self.unwritten.of(account)))
            // Another flush may have written it.
            .filter(|(_, usage)| !usage.is_empty())
            .collect();
        FlushBatch {
            usage,
            unwritten: &self.unwritten,
            _flush_lock: flush_lock,
        }
    }

    /// Updates the last use of a cached account. Call it after the commit and before the acknowledgement.
    pub(in crate::store) fn advance_last_use(&self, id: ServiceAccountId, at: Timestamp) {
        if let Some(accounts) = self.accounts() {
            accounts.advance_last_use(id, at);
        }
    }
}

/// The accounts that a flush writes.
pub(in crate::store) struct FlushRound {
    /// In the order of their ids: so flushes of several nodes lock rows in the same order, and neighbors share pages.
    pub(in crate::store) accounts: Vec<ServiceAccountId>,
    /// Whether further accounts may have unwritten usage.
    pub(in crate::store) has_more: bool,
}

/// Usage that is being written. Dropped without [`Self::mark_written`], it stays unwritten.
pub(in crate::store) struct FlushBatch<'m> {
    usage: Vec<(ServiceAccountId, Usage)>,
    unwritten: &'m UnwrittenUsage,
    _flush_lock: RwLockWriteGuard<'m, ()>,
}

impl FlushBatch<'_> {
    /// The usage to write, in the order of the accounts' ids.
    pub(in crate::store) fn usage(&self) -> &[(ServiceAccountId, Usage)] {
        &self.usage
    }

    /// Marks the usage as written.
    pub(in crate::store) fn mark_written(self) {
        for (account, usage) in self.usage {
            self.unwritten.mark_written(account, usage);
        }
    }
}
