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
}
