//! What must hold for a change to happen.

use super::ServiceAccount;

/// Which states of an account a change is meant for (RFC 9110 §13.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Any.
    #[default]
    None,
    /// Those of these versions; none of them, if there are none.
    Versions(Vec<i64>),
}

/// The account is no longer as the change expects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service account has changed since")]
pub struct Stale;

impl Precondition {
    /// Whether a change may happen to `account` as it is.
    pub fn check(&self, account: &ServiceAccount) -> Result<(), Stale> {
        match self {
            Self::Versions(versions) if !versions.contains(&account.version) => Err(Stale),
            _ => Ok(()),
        }
    }
}
