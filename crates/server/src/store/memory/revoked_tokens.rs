//! The tokens that were revoked one by one.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use crate::domain::{Timestamp, TokenId};

/// Every revoked token that has not expired, and when it expires.
pub(super) struct RevokedTokens(RwLock<HashMap<TokenId, Timestamp>>);

impl RevokedTokens {
    pub(super) fn new(tokens: HashMap<TokenId, Timestamp>) -> Self {
        Self(RwLock::new(tokens))
    }

    pub(super) fn contains(&self, token: TokenId) -> bool {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tokens.contains_key(&token)
    }

    pub(super) fn insert(&self, token: TokenId, expires_at: Timestamp) {
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(token, expires_at);
    }

    /// Drops the tokens that expire by `expired_by`.
    pub(super) fn sweep(&self, expired_by: Timestamp) {
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, expires_at| *expires_at > expired_by);
    }
}
