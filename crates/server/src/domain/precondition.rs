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

    /// The version that the stored account must have when the change is written, given `account` as it was read: the version
    /// that was read, or, if the precondition is not met, a version that no account has.
    pub fn version(&self, account: &ServiceAccount) -> i64 {
        if self.is_met(account) {
            account.version
        } else {
            Self::NO_VERSION
        }
    }
}
