//! Audit events: who did what to which object, when and from where.

use std::{fmt, net::IpAddr};

use crate::domain::{OrganizationId, ServiceAccountId, Timestamp};

/// Who caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The operator: the server itself or a command on its machine.
    Operator,
    /// A service account.
    ServiceAccount(ServiceAccountId),
    /// A client that failed to authenticate.
    Unauthenticated,
}

impl Actor {
    /// Parses the output of [`Display`](fmt::Display). `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "operator" => Some(Self::Operator),
            "unauthenticated" => Some(Self::Unauthenticated),
            id => ServiceAccountId::parse(id).map(Self::ServiceAccount),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::ServiceAccount(id) => id.fmt(f),
            Self::Unauthenticated => f.write_str("unauthenticated"),
        }
    }
}

/// The operation that an event records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An organization was created.
    CreateOrganization,
    /// An organization was renamed.
    RenameOrganization,
    /// An organization was disabled.
    DisableOrganization,
    /// An organization was enabled again.
    EnableOrganization,
    /// An organization got a new administrator from the operator.
    RecoverOrganization,
    /// A service account was created.
    CreateServiceAccount,
    /// Fields of a service account changed.
    UpdateServiceAccount,
    /// A new secret replaced the secrets of a service account.
    RotateSecret,
    /// A rotation was cancelled during its grace period.
    CancelRotation,
    /// A secret was added to a service account.
    AddSecret,
    /// A secret of a service account was revoked.
    DeleteSecret,
    /// All tokens issued to a service account so far were revoked.
    RevokeTokens,
    /// A service account was deleted, with its secrets and tokens.
    DeleteServiceAccount,
    /// One token was revoked.
    RevokeToken,
    /// Logins of a service account were refused.
    RefuseLogin,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 15] = [
        Self::CreateOrganization,
        Self::RenameOrganization,
        Self::DisableOrganization,
        Self::EnableOrganization,
        Self::RecoverOrganization,
        Self::CreateServiceAccount,
        Self::UpdateServiceAccount,
        Self::RotateSecret,
        Self::CancelRotation,
        Self::AddSecret,
        Self::DeleteSecret,
        Self::RevokeTokens,
        Self::DeleteServiceAccount,
        Self::RevokeToken,
        Self::RefuseLogin,
    ];

    /// Parses a name. `None` for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// The name in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateOrganization => "create_organization",
            Self::RenameOrganization => "rename_organization",
            Self::DisableOrganization => "disable_organization",
            Self::EnableOrganization => "enable_organization",
            Self::RecoverOrganization => "recover_organization",
            Self::CreateServiceAccount => "create_service_account",
            Self::UpdateServiceAccount => "update_service_account",
            Self::RotateSecret => "rotate_secret",
            Self::CancelRotation => "cancel_rotation",
            Self::AddSecret => "add_secret",
            Self::DeleteSecret => "delete_secret",
            Self::RevokeTokens => "revoke_tokens",
            Self::DeleteServiceAccount => "delete_service_account",
            Self::RevokeToken => "revoke_token",
            Self::RefuseLogin => "refuse_login",
        }
    }
}

/// An entry of the audit trail: one change, or a number of refused logins. It never contains a secret or a token.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// The organization that the event belongs to.
    pub organization_id: OrganizationId,
    /// When it happened.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// What happened.
    pub action: Action,
    /// The id of the object that changed.
    pub target: String,
    /// The id of the request that caused it. `None`: a command caused it.
    pub request_id: Option<String>,
    /// The address of the client. `None`: a command caused it, or the refused logins came from several addresses.
    pub address: Option<IpAddr>,
    /// The changed fields and their new values; for refused logins the counts by reason.
    pub detail: Vec<(&'static str, String)>,
}

/// Selects events. An event must match every part that is not `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter {
    /// Events whose target is this account or one of its tokens.
    pub service_account: Option<ServiceAccountId>,
    /// Events with this action.
    pub action: Option<Action>,
    /// Events caused by this actor.
    pub actor: Option<Actor>,
    /// Events at or after this instant.
    pub since: Option<Timestamp>,
    /// Events before this instant.
    pub until: Option<Timestamp>,
}
