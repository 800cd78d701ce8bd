//! Service accounts.

use super::{
    Description, GrantableScopes, Labels, Name, OrganizationId, ScopeSet, ServiceAccountId,
    Timestamp,
};

/// The settings of a service account: what a caller of the management API may say of it. One entry per setting: its doc, its
/// field, its name in the API, its type.
///
/// The fields of [`ServiceAccount`], the members of [`AccountPatch`](super::AccountPatch), the detail of audit events and the
/// columns of the database derive from this list. A column has the name of the field. `disabled_at` is not in the list: the
/// caller sets a flag, and the server records since when.
macro_rules! account_settings {
    ($derive:ident) => {
        $derive! {
            /// Display name. Two accounts may have the same name.
            name "name": Name,
            /// What the account is for.
            description "description": Option<Description>,
            /// The scopes that the account may request.
            scopes "scopes": ScopeSet,
            /// What the account may grant to others, beside the management scopes that it holds.
            grantable_scopes "grantableScopes": GrantableScopes,
            /// The person or team that is responsible for the account.
            owner "owner": Option<Name>,
            /// Key-value tags for grouping and filtering.
            labels "labels": Labels,
            /// Lifetime of the account's access tokens, in seconds. `None`: the lifetime of the resource.
            token_lifetime_seconds "tokenLifetimeSeconds": Option<u32>,
            /// When the account expires. From then on it gets no tokens, and its tokens are inactive. `None`: never.
            expires_at "expiresAt": Option<Timestamp>,
        }
    };
}
pub(crate) use account_settings;

macro_rules! define_account {
    ($($(#[$doc:meta])* $setting:ident $member:literal: $type:ty,)*) => {
        /// An identity for a machine. It acts for its organization, not for a person.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct ServiceAccount {
            /// Identifies the account. The client id is derived from it.
            pub id: ServiceAccountId,
            /// The organization that the account belongs to. It never changes.
            pub organization_id: OrganizationId,
            $($(#[$doc])* pub $setting: $type,)*
            /// When the account was disabled. `None`: it is enabled.
            pub disabled_at: Option<Timestamp>,
            /// Is part of every token. Raising it revokes all tokens issued before.
            pub token_epoch: i64,
            /// Grows with every change of the account or its secrets. Using the account is no change.
            pub version: i64,
            /// When the account was created.
            pub created_at: Timestamp,
            /// The account that created this one. `None`: the server itself, at bootstrap.
            pub created_by: Option<ServiceAccountId>,
            /// When the account or one of its secrets last changed.
            pub updated_at: Timestamp,
            /// When a token was last issued to the account. `None`: never, as far as the server knows.
            pub last_used_at: Option<Timestamp>,
        }
    };
}
account_settings!(define_account);

impl ServiceAccount {
    /// A new account with a name and no other setting.
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
            grantable_scopes: GrantableScopes::default(),
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
