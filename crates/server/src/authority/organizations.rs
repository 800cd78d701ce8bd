//! Organizations, as the operator manages them beside running servers.

use super::{
    issued_secret::IssuedSecret,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::{
    domain::{
        Action, Actor, AuditEvent, AuditFilter, ChainedEvent, MANAGEMENT_ALL, Name, OrganizationId,
        ScopeSet, ServiceAccount, ServiceAccountId, Timestamp,
    },
    store::{ListedOrganization, OrganizationPart},
};

/// The number of audit events that are read at once.
const EVENTS_AT_ONCE: usize = 500;

/// Why an organization is not changed.
#[derive(Debug, thiserror::Error)]
pub enum OrganizationError {
    /// There is no such organization.
    #[error("there is no organization {0:?}")]
    NotFound(String),
    /// Another organization has this name.
    #[error("an organization named {0:?} already exists")]
    NameTaken(String),
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(OrganizationError::Unavailable);

impl Authority {
    /// The organization with this id or name.
    pub async fn find_organization(
        &self,
        id_or_name: &str,
    ) -> Result<ListedOrganization, OrganizationError> {
        let by_id = match OrganizationId::parse(id_or_name) {
            Some(id) => self.store.get_organization(id).await?,
            None => None,
        };
        let found = match by_id {
            Some(found) => Some(found),
            None => self.store.find_organization(id_or_name).await?,
        };
        found.ok_or_else(|| OrganizationError::NotFound(id_or_name.to_owned()))
    }

    /// Gives the organization another name, and returns it.
    pub async fn rename_organization(
        &self,
        organization: &ListedOrganization,
        name: &Name,
    ) -> Result<ListedOrganization, OrganizationError> {
        let now = self.clock.now()?;
        let new = name.as_str().to_owned();
        if organization.name != new {
            let detail = vec![("name", new.clone())];
            let event = operator_event(organization.id, now, Action::RenameOrganization, detail);
            let is_renamed = self.store.rename_organization(organization.id, name, event);
            if !is_renamed.await? {
                self.read_organization(organization).await?;
                return Err(OrganizationError::NameTaken(new));
            }
        }
        self.read_organization(organization).await
    }

    /// Disables the organization: its accounts get no tokens, and its tokens are inactive, on every node. Returns the
    /// organization. An organization that is disabled already stays as it is.
    pub async fn disable_organization(
        &self,
        organization: &ListedOrganization,
    ) -> Result<ListedOrganization, OrganizationError> {
        let now = self.clock.now()?;
        let event = operator_event(
            organization.id,
            now,
            Action::DisableOrganization,
            Vec::new(),
        );
        self.store
            .set_organization_disabled(organization.id, Some(now), event)
            .await?;
        self.read_organization(organization).await
    }

    /// Enables a disabled organization, and returns it. Its secrets work again, and its tokens that have not expired.
    pub async fn enable_organization(
        &self,
        organization: &ListedOrganization,
    ) -> Result<ListedOrganization, OrganizationError> {
        let now = self.clock.now()?;
        let event = operator_event(organization.id, now, Action::EnableOrganization, Vec::new());
        self.store
            .set_organization_disabled(organization.id, None, event)
            .await?;
        self.read_organization(organization).await
    }

    /// Disables the organization and deletes it for good with everything that belongs to it, some rows at a time. An interrupted
    /// deletion is continued by another call.
    pub async fn delete_organization(
        &self,
        organization: &ListedOrganization,
    ) -> Result<(), OrganizationError> {
        self.disable_organization(organization).await?;
        for part in [
            OrganizationPart::ServiceAccounts,
            OrganizationPart::AuditEvents,
        ] {
            let id = organization.id;
            while self.store.delete_organization_rows(id, part).await? {}
        }
        self.store.delete_organization(organization.id).await?;
        Ok(())
    }

    /// The next audit events of the organization, oldest first: up to 500 with sequence numbers above `after`. Empty: there are no
    /// more.
    pub async fn read_audit_events(
        &self,
        organization: OrganizationId,
        after: i64,
    ) -> Result<Vec<ChainedEvent>, Unavailable> {
        let whole = AuditFilter::default();
        Ok(self
            .store
            .list_audit_events(organization, &whole, after, EVENTS_AT_ONCE)
            .await?)
    }

    /// Creates an account that holds `management:all` in an organization that has lost its administrators.
    pub async fn recover_organization(
        &self,
        organization: &ListedOrganization,
        name: Name,
    ) -> Result<IssuedSecret, OrganizationError> {
        let now = self.clock.now()?;
        let id = ServiceAccountId::new(now, self.ordered_random(now)?);
        let account = ServiceAccount {
            scopes: ScopeSet::from_tokens([MANAGEMENT_ALL]).unwrap_or_default(),
            ..ServiceAccount::new(id, organization.id, name, now, None)
        };
        let (secret, stored) = self.new_secret(now, None, None)?;
        let event = AuditEvent {
            target: id.to_string(),
            ..operator_event(
                organization.id,
                now,
                Action::RecoverOrganization,
                account.stated(),
            )
        };
        let is_there = self.store.recover_organization(&account, &stored, event);
        if !is_there.await? {
            return Err(OrganizationError::NotFound(organization.name.clone()));
        }
        Ok(IssuedSecret { account, secret })
    }

    async fn read_organization(
        &self,
        organization: &ListedOrganization,
    ) -> Result<ListedOrganization, OrganizationError> {
        let read = self.store.get_organization(organization.id).await?;
        read.ok_or_else(|| OrganizationError::NotFound(organization.name.clone()))
    }
}

fn operator_event(
    organization: OrganizationId,
    now: Timestamp,
    action: Action,
    detail: Vec<(&'static str, String)>,
) -> AuditEvent {
    AuditEvent {
        organization_id: organization,
        at: now,
        actor: Actor::Operator,
        action,
        target: organization.to_string(),
        request_id: None,
        address: None,
        detail,
    }
}
