//! The memory of verified JWTs: a cache of the signature checks of one set of signing keys.
//!
//! A key that verified a text once verifies it always. The memory says nothing about whether the token is active.

use aws_lc_rs::digest::{SHA256, digest};

use super::facts;
use crate::{
    domain::{AccessToken, TokenId},
    packed::{Cache, NeverPinned},
};

/// The capacity in bytes, which fits about 100,000 tokens.
const BYTES: usize = 16 << 20;

pub(super) struct VerifiedTokens(Cache<32, NeverPinned>);

/// The SHA-256 of the text of a token.
pub(super) struct TextDigest([u8; 32]);

impl TextDigest {
    pub(super) fn of(text: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Self(bytes)
    }
}

impl VerifiedTokens {
    pub(super) fn new() -> Self {
        Self(Cache::new(BYTES, NeverPinned))
    }

    pub(super) fn get(&self, text: &TextDigest) -> Option<AccessToken> {
        self.0.get(&text.0, |record| {
            let (id, facts) = record.split_first_chunk()?;
            facts::read(TokenId::from_bytes(*id), facts)
        })?
    }

    pub(super) fn insert(&self, text: &TextDigest, token: &AccessToken) {
        let mut record = Vec::with_capacity(16 + facts::length(token));
        record.extend_from_slice(token.id.as_bytes());
        facts::push(&mut record, token);
        self.0.insert(&text.0, &record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OrganizationId, ScopeSet, ServiceAccountId};

    #[test]
    fn a_token_is_found_by_its_exact_text() {
        let token = AccessToken {
            id: TokenId::from_bytes([1; 16]),
            organization_id: OrganizationId::from_bytes([2; 16]),
            service_account_id: ServiceAccountId::from_bytes([3; 16]),
            token_epoch: 4,
            audience: "https://orders.example.com".into(),
            scopes: ScopeSet::parse("orders:read orders:write").unwrap(),
            issued_at_seconds: 5,
            expires_at_seconds: 6,
        };
        let verified = VerifiedTokens::new();
        assert_eq!(verified.get(&TextDigest::of("text")), None);
        verified.insert(&TextDigest::of("text"), &token);
        assert_eq!(verified.get(&TextDigest::of("text")), Some(token));
        assert_eq!(verified.get(&TextDigest::of("Text")), None);
    }
}
