//! Clients: service accounts as the OAuth endpoints see them.

use super::{OrganizationId, ScopeSet, ServiceAccount, ServiceAccountId, Timestamp};

/// A service account as a client (RFC 6749 §2): of it, what decides whether it may authenticate and what its tokens may do, and
/// nothing that only people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The account's id; the client id is derived from it.
    pub id: ServiceAccountId,
    /// The organization it acts for.
    pub organization_id: OrganizationId,
    /// What it may ask for.
    pub scopes: ScopeSet,
    /// How long its tokens live, in seconds. `None`: as long as those of the resource that they are for.
    pub token_lifetime_seconds: Option<u32>,
    /// From when on it may do nothing. `None`: it does not expire.
    pub expires_at: Option<Timestamp>,
    /// Since when it is switched off. `None`: it is not.
    pub disabled_at: Option<Timestamp>,
    /// Goes into every token; raising it ends all tokens issued before.
    pub token_epoch: i64,
}

impl Client {
    /// The one gate: whether the account may authenticate, and its tokens be honoured, at `now`. Every grant and every
    /// verification asks here, so that a reason to refuse added here holds everywhere.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.check_usable(now).is_ok()
    }

    /// The same, with the reason, which is for the account's owner alone.
    pub fn check_usable(&self, now: Timestamp) -> Result<(), Unusable> {
        // Whenever it was that it was disabled: another node's clock may be ahead.
        if self.disabled_at.is_some() {
            return Err(Unusable::Disabled);
        }
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err(Unusable::Expired);
        }
        Ok(())
    }
}

impl From<&ServiceAccount> for Client {
    fn from(account: &ServiceAccount) -> Self {
        Self {
            id: account.id,
            organization_id: account.organization_id,
            scopes: account.scopes.clone(),
            token_lifetime_seconds: account.token_lifetime_seconds,
            expires_at: account.expires_at,
            disabled_at: account.disabled_at,
            token_epoch: account.token_epoch,
        }
    }
}

/// Why an account may do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is switched off.
    Disabled,
    /// Its time has run out.
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_not_usable_while_it_is_disabled_nor_from_its_expiry_on() {
        let at = Timestamp::from_millis(1000);
        let mut client = Client {
            id: ServiceAccountId::from_bytes([1; 16]),
            organization_id: OrganizationId::from_bytes([2; 16]),
            scopes: ScopeSet::default(),
            token_lifetime_seconds: None,
            expires_at: None,
            disabled_at: None,
            token_epoch: 0,
        };
        assert!(client.is_usable(at));
        client.expires_at = Some(at);
        assert!(client.is_usable(Timestamp::from_millis(999)));
        assert!(!client.is_usable(at));
        client.expires_at = None;
        client.disabled_at = Some(at);
        assert!(!client.is_usable(Timestamp::from_millis(999)));
        assert!(!client.is_usable(at));
    }
}
