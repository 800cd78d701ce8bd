//! Service accounts.

use super::{Description, Name, OrganizationId, ScopeSet, ServiceAccountId, Timestamp};

/// An identity for a machine. It acts for its organization, not for a person.
#[derive(Clone, Debug)]
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
    /// Goes into every token; raising it ends all tokens issued before.
    pub token_epoch: i64,
    /// Since when it is switched off. `None`: it is not.
    pub disabled_at: Option<Timestamp>,
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
    /// The one gate: whether the account may authenticate, and its tokens be honoured, at `now`. Every grant and every
    /// verification asks here, so that a reason to refuse added here holds everywhere.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.disabled_at.is_none_or(|since| since > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disabled_account_is_not_usable_from_that_instant_on() {
        let at = Timestamp::from_millis(1000);
        let mut account = ServiceAccount {
            id: ServiceAccountId::from_bytes([1; 16]),
            organization_id: OrganizationId::from_bytes([2; 16]),
            name: Name::parse("CI".to_owned()).unwrap(),
            description: None,
            scopes: ScopeSet::default(),
            token_epoch: 0,
            disabled_at: None,
            created_at: at,
            created_by: None,
            updated_at: at,
            last_used_at: None,
        };
        assert!(account.is_usable(at));
        account.disabled_at = Some(at);
        assert!(account.is_usable(Timestamp::from_millis(999)));
        assert!(!account.is_usable(at));
    }
}
