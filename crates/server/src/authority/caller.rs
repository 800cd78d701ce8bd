//! The caller of the management API.

use super::origin::Origin;
use crate::domain::{
    Action, Actor, AuditEvent, OrganizationId, ScopeSet, ServiceAccountId, Timestamp,
};

/// The caller of the management API: the bearer of an active token for it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The organization of the caller. The caller sees nothing of other organizations.
    pub organization_id: OrganizationId,
    /// The account of the caller.
    pub service_account_id: ServiceAccountId,
    /// The scopes of the token that the account still holds.
    pub scopes: ScopeSet,
}

impl Caller {
    /// The audit event of an action of this caller.
    pub(super) fn event(
        &self,
        origin: &Origin<'_>,
        now: Timestamp,
        action: Action,
        target: String,
        detail: Vec<(&'static str, String)>,
    ) -> AuditEvent {
        AuditEvent {
            organization_id: self.organization_id,
            at: now,
            actor: Actor::ServiceAccount(self.service_account_id),
            action,
            target,
            request_id: origin.request_id.map(str::to_owned),
            address: origin.address,
            detail,
        }
    }
}
