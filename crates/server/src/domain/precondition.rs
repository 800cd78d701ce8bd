//! What must hold for a change to happen.

use super::ServiceAccount;

/// Which states of an account a change is meant for (RFC 9110 §13.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Any.
    #[default]
    None,
    /// Those of these versions; none at all, if there are none.
    Versions(Vec<i64>),
}

impl Precondition {
    /// The version that no account has; they begin with 1.
    const NO_VERSION: i64 = 0;

    /// Whether the change is meant for `account` as it is.
    pub fn is_met(&self, account: &ServiceAccount) -> bool {
        match self {
            Self::None => true,
            Self::Versions(versions) => versions.contains(&account.version),
        }
    }

    /// The version in which an account that was like `account` a moment ago must still be when the change is made. `None`:
    /// any. If the change is not meant for it, the version that no account has.
    pub fn version(&self, account: &ServiceAccount) -> Option<i64> {
        match self {
            Self::None => None,
            Self::Versions(_) if self.is_met(account) => Some(account.version),
            Self::Versions(_) => Some(Self::NO_VERSION),
        }
    }
}
