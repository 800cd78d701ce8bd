//! Service accounts and their secrets.

use super::{
    Description, Name, OrganizationId, ScopeSet, SecretDigest, SecretId, ServiceAccountId,
    Timestamp,
};

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

/// A secret as it is stored: everything but the secret.
#[derive(Clone, Debug)]
pub struct StoredSecret {
    /// Its id.
    pub id: SecretId,
    /// The keyed digest by which it is recognised.
    pub digest: SecretDigest,
    /// Its last four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused. `None`: it does not expire.
    pub expires_at: Option<Timestamp>,
}

impl StoredSecret {
    /// Whether it authenticates at `now`: an expiry counts from its very instant on.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
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

    #[test]
    fn a_secret_ends_at_its_expiry() {
        let secret = |expires_at| StoredSecret {
            id: SecretId::from_bytes([3; 16]),
            digest: SecretDigest::from_bytes([0; 32]),
            hint: "abcd".to_owned(),
            created_at: Timestamp::from_millis(0),
            expires_at,
        };
        let end = Timestamp::from_millis(50);
        assert!(secret(Some(end)).is_live(Timestamp::from_millis(49)));
        assert!(!secret(Some(end)).is_live(end));
        assert!(secret(None).is_live(Timestamp::from_millis(i64::MAX)));
    }
}
