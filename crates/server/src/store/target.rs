//! Which account a change is for.

use crate::domain::{OrganizationId, ServiceAccountId};

/// The account that a change is for. A change finds no account unless all of this holds.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The organization that the account belongs to.
    pub organization: OrganizationId,
    /// The id of the account.
    pub id: ServiceAccountId,
    /// The version that the account must have: the one by which the change was judged.
    pub version: i64,
}
