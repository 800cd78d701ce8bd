//! The account that a change is meant for.

use crate::domain::{OrganizationId, ServiceAccountId};

/// The account that a change is meant for. If no account matches in every respect, the change does not happen.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The organization of the account.
    pub organization: OrganizationId,
    /// Its id.
    pub id: ServiceAccountId,
    /// The version that the account must have. `None`: any.
    pub version: Option<i64>,
}
