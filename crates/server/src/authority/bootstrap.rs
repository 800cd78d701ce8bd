//! Bootstrap: creates an organization and an account that holds `management:all`.
//!
//! The secret must not get lost between the commit and the reader. So a bootstrap is planned completely, the plan is written
//! where the reader finds it, and only then it is committed.

use super::{
    issued_secret::IssuedSecret,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::{
    domain::{
        Action, Actor, AuditEvent, MANAGEMENT_ALL, Name, OrganizationId, ScopeSet, ServiceAccount,
        ServiceAccountId, StoredSecret,
    },
    store::Organization,
};

/// A planned organization with its first account. It does not exist yet.
#[derive(Debug)]
pub struct Bootstrap {
    organization: Organization,
    issued: IssuedSecret,
    stored: StoredSecret,
}

/// Why a bootstrap is not committed.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// There is an organization with this name.
    #[error("an organization named {0:?} already exists")]
    NameTaken(String),
    /// The bootstrap cannot be committed now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(BootstrapError::Unavailable);

impl Bootstrap {
    /// The id of the organization.
    pub const fn organization_id(&self) -> OrganizationId {
        self.organization.id
    }

    /// The account and its secret.
    pub const fn issued(&self) -> &IssuedSecret {
        &self.issued
    }

    fn events(&self) -> [AuditEvent; 2] {
        let account = &self.issued.account;
        let event = |action, target: String, detail| AuditEvent {
            organization_id: self.organization.id,
            at: self.organization.created_at,
            actor: Actor::Operator,
            action,
            target,
            request_id: None,
            address: None,
            detail,
        };
        [
            event(
                Action::CreateOrganization,
                self.organization.id.to_string(),
                vec![("name", self.organization.name.as_str().to_owned())],
            ),
            event(
                Action::CreateServiceAccount,
                account.id.to_string(),
                account.stated(),
            ),
        ]
    }
}

impl Authority {
    /// Plans an organization and its first account, which holds `management:all`. Nothing is stored.
    pub fn plan_bootstrap(
        &self,
        organization: Name,
        service_account: Name,
    ) -> Result<Bootstrap, Unavailable> {
        let now = self.clock.now()?;
        let organization = Organization {
            id: OrganizationId::new(now, self.ordered_random(now)?),
            name: organization,
            created_at: now,
        };
        let id = ServiceAccountId::new(now, self.ordered_random(now)?);
        let account = ServiceAccount {
            scopes: ScopeSet::from_tokens([MANAGEMENT_ALL]).unwrap_or_default(),
            ..ServiceAccount::new(id, organization.id, service_account, now, None)
        };
        let (secret, stored) = self.new_secret(now, None, None)?;
        Ok(Bootstrap {
            organization,
            issued: IssuedSecret { account, secret },
            stored,
        })
    }

    /// Whether a bootstrap was committed.
    pub async fn is_bootstrapped(&self) -> Result<bool, Unavailable> {
        let installation = self.store.installation().await?;
        Ok(installation.is_some_and(|(_, bootstrapped_at)| bootstrapped_at.is_some()))
    }

    /// Whether the account exists. An interrupted bootstrap finds out by this whether it was committed.
    pub async fn has_service_account(
        &self,
        organization: OrganizationId,
        id: ServiceAccountId,
    ) -> Result<bool, Unavailable> {
        let found = self.store.find_service_account(organization, id).await?;
        Ok(found.is_some())
    }

    /// Commits the plan if no bootstrap was committed before. `false`: one was, and nothing changed.
    pub async fn bootstrap_first(&self, plan: &Bootstrap) -> Result<bool, Unavailable> {
        let account = &plan.issued.account;
        Ok(self
            .store
            .bootstrap_first(&plan.organization, account, &plan.stored, plan.events())
            .await?)
    }

    /// Commits the plan in addition to the existing organizations.
    pub async fn bootstrap_another(&self, plan: &Bootstrap) -> Result<(), BootstrapError> {
        let account = &plan.issued.account;
        let made = self
            .store
            .bootstrap_another(&plan.organization, account, &plan.stored, plan.events())
            .await?;
        if !made {
            let name = plan.organization.name.as_str().to_owned();
            return Err(BootstrapError::NameTaken(name));
        }
        Ok(())
    }
}
