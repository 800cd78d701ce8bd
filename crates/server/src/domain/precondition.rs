//! The precondition of a change: `If-Match`, in terms of account versions.

use super::ServiceAccount;

/// The versions of an account to which a change applies (RFC 9110 §13.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Every version.
    #[default]
    None,
    /// One of these versions. An empty list matches no version.
    Versions(Vec<i64>),
}

impl Precondition {
    /// A version that no account has. Versions start at 1.
    const NO_VERSION: i64 = 0;

    /// Whether the change applies to the version of `account`.
    pub fn is_met(&self, account: &ServiceAccount) -> bool {
        match self {
            Self::None => true,
            Self::Versions(versions) => versions.contains(&account.version),
        }
    }

    /// The version that the stored account must have when the change is written, given `account` as it was read. `None`:
    /// any version. A version that no account has: the precondition is not met.
    pub fn version(&self, account: &ServiceAccount) -> Option<i64> {
        match self {
            Self::None => None,
            Self::Versions(_) if self.is_met(account) => Some(account.version),
            Self::Versions(_) => Some(Self::NO_VERSION),
        }
    }
}
