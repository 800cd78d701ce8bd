//! Service accounts.

use super::{Description, Labels, Name, OrganizationId, ScopeSet, ServiceAccountId, Timestamp};

/// An identity for a machine. It acts for its organization, not for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its id; the client id is derived from it.
    pub id: ServiceAccountId,
    /// The organization it belongs to, for good.
    pub organization_id: OrganizationId,
    /// A display name; two accounts may share it.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// What it may ask for.
    pub scopes: ScopeSet,
    /// Who answers for it.
    pub owner: Option<Name>,
    /// What it is sorted by.
    pub labels: Labels,
    /// How long its tokens live, in seconds. `None`: as long as those of the resource that they are for.
    pub token_lifetime_seconds: Option<u32>,
    /// From when on it may do nothing. `None`: it does not expire.
    pub expires_at: Option<Timestamp>,
    /// Since when it is switched off. `None`: it is not.
    pub disabled_at: Option<Timestamp>,
    /// Goes into every token; raising it ends all tokens issued before.
    pub token_epoch: i64,
    /// Grows with every change of the account or its secrets. Being used is no change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// The account that created it. `None`: the server itself, at bootstrap.
    pub created_by: Option<ServiceAccountId>,
    /// When it, or its secrets, last changed.
    pub updated_at: Timestamp,
    /// When it last obtained a token. `None`: never, as far as is known.
    pub last_used_at: Option<Timestamp>,
}

impl ServiceAccount {
    /// A new account with the least that one has.
    pub fn new(
        id: ServiceAccountId,
        organization_id: OrganizationId,
        name: Name,
        created_at: Timestamp,
        created_by: Option<ServiceAccountId>,
    ) -> Self {
        Self {
            id,
            organization_id,
            name,
            description: None,
            scopes: ScopeSet::default(),
            owner: None,
            labels: Labels::default(),
            token_lifetime_seconds: None,
            expires_at: None,
            disabled_at: None,
            token_epoch: 0,
            version: 1,
            created_at,
            created_by,
            updated_at: created_at,
            last_used_at: None,
        }
    }

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
    fn an_account_is_not_usable_while_it_is_disabled_nor_from_its_expiry_on() {
        let at = Timestamp::from_millis(1000);
        let mut account = ServiceAccount::new(
            ServiceAccountId::from_bytes([1; 16]),
            OrganizationId::from_bytes([2; 16]),
            Name::parse("CI".to_owned()).unwrap(),
            at,
            None,
        );
        assert!(account.is_usable(at));
        account.expires_at = Some(at);
        assert!(account.is_usable(Timestamp::from_millis(999)));
        assert!(!account.is_usable(at));
        account.expires_at = None;
        account.disabled_at = Some(at);
        assert!(!account.is_usable(Timestamp::from_millis(999)));
        assert!(!account.is_usable(at));
    }
}
