//! Clients: service accounts as the OAuth endpoints see them.

use super::{OrganizationId, ScopeSet, ServiceAccount, ServiceAccountId, Timestamp};

/// A service account as a client (RFC 6749 §2): the fields that decide whether it may authenticate and what its tokens allow.
/// Texts for people are left out, so that a look-up on the token path stays small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The account's id. The client id is derived from it.
    pub id: ServiceAccountId,
    /// The organization that the client acts for.
    pub organization_id: OrganizationId,
    /// When the operator disabled the organization. `None`: it is enabled.
    pub organization_disabled_at: Option<Timestamp>,
    /// The scopes that the client may request.
    pub scopes: ScopeSet,
    /// Lifetime of the client's access tokens, in seconds. `None`: the lifetime of the resource.
    pub token_lifetime_seconds: Option<u32>,
    /// When the account expires. From then on the client is unusable. `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When the account was disabled. `None`: it is enabled.
    pub disabled_at: Option<Timestamp>,
    /// Is part of every token. Raising it revokes all tokens issued before.
    pub token_epoch: i64,
}

impl Client {
    /// Whether the client may authenticate, and its tokens are active, at `now`. Every grant and every token check calls
    /// this, so a new reason to refuse belongs into [`Self::check_usable`].
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.check_usable(now).is_ok()
    }

    /// As [`Self::is_usable`], with the reason. Only the account's organization may see the reason.
    pub fn check_usable(&self, now: Timestamp) -> Result<(), Unusable> {
        if self.organization_disabled_at.is_some() {
            return Err(Unusable::OrganizationDisabled);
        }
        // `disabled_at` is not compared with `now`: the clock of another node may be ahead.
        if self.disabled_at.is_some() {
            return Err(Unusable::Disabled);
        }
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err(Unusable::Expired);
        }
        Ok(())
    }
}

/// The account as a client of an organization that is enabled.
impl From<&ServiceAccount> for Client {
    fn from(account: &ServiceAccount) -> Self {
        Self {
            id: account.id,
            organization_id: account.organization_id,
            organization_disabled_at: None,
            scopes: account.scopes.clone(),
            token_lifetime_seconds: account.token_lifetime_seconds,
            expires_at: account.expires_at,
            disabled_at: account.disabled_at,
            token_epoch: account.token_epoch,
        }
    }
}

/// Why a client is unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// The operator disabled the organization.
    OrganizationDisabled,
    /// The account is disabled.
    Disabled,
    /// The account has expired.
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_unusable_while_disabled_and_from_its_expiry_on() {
        let at = Timestamp::from_millis(1000);
        let mut client = Client {
            id: ServiceAccountId::from_bytes([1; 16]),
            organization_id: OrganizationId::from_bytes([2; 16]),
            organization_disabled_at: None,
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
        client.organization_disabled_at = Some(at);
        assert!(!client.is_usable(Timestamp::from_millis(999)));
        client.organization_disabled_at = None;
        client.disabled_at = Some(at);
        assert!(!client.is_usable(Timestamp::from_millis(999)));
        assert!(!client.is_usable(at));
    }
}
