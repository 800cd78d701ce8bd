//! The reasons to refuse a login.

use crate::domain::{SecretDigest, SecretId, Unusable};

/// Why a login is refused. The audit trail tells the owner of the account; the response tells the client nothing
/// (RFC 6749 §5.2).
#[derive(Clone, Copy, Debug)]
pub enum LoginRefusal {
    /// No unrevoked secret of the account has this digest. It may be the digest of a revoked secret, which is looked up
    /// later (see [`RefusedLogins::resolve_wrong_secrets`](super::RefusedLogins::resolve_wrong_secrets)).
    WrongSecret(SecretDigest),
    /// The secret expired, or the grace period of a rotation ended.
    ExpiredSecret(SecretId),
    /// The secret was revoked: replaced by a rotation, or deleted.
    EndedSecret(SecretId),
    /// The client authenticated, but the account is disabled or expired, or the organization is disabled.
    UnusableAccount(Unusable),
}

impl From<Unusable> for LoginRefusal {
    fn from(reason: Unusable) -> Self {
        Self::UnusableAccount(reason)
    }
}

impl LoginRefusal {
    /// The name under which the audit event counts the refusal.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::WrongSecret(_) => "wrongSecret",
            Self::ExpiredSecret(_) => "expiredSecret",
            Self::EndedSecret(_) => "endedSecret",
            Self::UnusableAccount(Unusable::OrganizationDisabled) => "organizationDisabled",
            Self::UnusableAccount(Unusable::Disabled) => "accountDisabled",
            Self::UnusableAccount(Unusable::Expired) => "accountExpired",
        }
    }
}
