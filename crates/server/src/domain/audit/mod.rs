//! Audit events: who did what to whom, when, from where. Per organization they form a hash [`chain`], so that an event
//! altered, removed or inserted later can be told.

mod chain;
mod refused_logins;

use std::net::IpAddr;

pub use chain::{BrokenChain, ChainHead, ChainedEvent, Verifier};
pub use refused_logins::{LoginRefusal, RefusedLogins};

use super::{OrganizationId, ServiceAccountId, Timestamp};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The operator, through the server itself or its command line.
    Operator,
    /// A service account.
    ServiceAccount(ServiceAccountId),
    /// Somebody who did not prove who he is, whoever he said he was.
    Unauthenticated,
}

impl Actor {
    /// Reads what [`Display`](std::fmt::Display) writes. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "operator" => Some(Self::Operator),
            "unauthenticated" => Some(Self::Unauthenticated),
            id => ServiceAccountId::parse(id).map(Self::ServiceAccount),
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::ServiceAccount(id) => id.fmt(f),
            Self::Unauthenticated => f.write_str("unauthenticated"),
        }
    }
}

/// What was done: the name of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An organization came to be.
    CreateOrganization,
    /// A service account came to be.
    CreateServiceAccount,
    /// What is said of it changed.
    UpdateServiceAccount,
    /// Its secret was replaced.
    RotateSecret,
    /// A rotation under way was taken back.
    CancelRotation,
    /// It got a further secret.
    AddSecret,
    /// One of its secrets was ended.
    DeleteSecret,
    /// Every token issued to it so far was ended.
    RevokeTokens,
    /// It was deleted, its tokens with it.
    DeleteServiceAccount,
    /// One token was ended before its time.
    RevokeToken,
    /// Logins were refused to it.
    RefuseLogin,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::CreateOrganization,
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

    /// The action of this name. `None` for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// The name as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateOrganization => "create_organization",
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

/// One change, or some logins refused, as it is remembered. It never holds a secret or a token.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// Whose event it is.
    pub organization_id: OrganizationId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// Whom: the id of the thing that changed.
    pub target: String,
    /// The request that caused it. `None`: no request, a command.
    pub request_id: Option<String>,
    /// From where. `None`: from this machine, by command; or from more addresses than are told apart.
    pub address: Option<IpAddr>,
    /// The fields that changed and their new values; of refused logins, how many there were and why.
    pub detail: Vec<(&'static str, String)>,
}

/// Which events are asked for; what is `None` narrows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter {
    /// Those about this account: it is their target, or one of its tokens is.
    pub service_account: Option<ServiceAccountId>,
    /// Those of this kind.
    pub action: Option<Action>,
    /// What this one did.
    pub actor: Option<Actor>,
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Up to this instant, which is no longer among them.
    pub until: Option<Timestamp>,
}
