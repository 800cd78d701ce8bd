//! The first organization, and further ones: an account that may do everything, to begin with.
//!
//! The secret must not be lost between the commit and whoever waits for it. So a bootstrap is planned first, whole; the
//! plan is put where it will be read; and only then is it committed.

use super::{Authority, IssuedCredentials, Unavailable};
use crate::{
    domain::{
        Action, Actor, AuditEvent, MANAGEMENT_ALL, Name, OrganizationId, ScopeSet, ServiceAccount,
        ServiceAccountId, StoredSecret,
    },
    store::Organization,
};

/// An organization with its first account, planned but not yet there.
#[derive(Debug)]
pub struct Bootstrap {
    organization: Organization,
    credentials: IssuedCredentials,
    stored: StoredSecret,
}

/// Why a bootstrap did not happen.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// An organization has the name already.
    #[error("an organization named {0:?} already exists")]
    NameTaken(String),
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Bootstrap {
    /// The organization to be.
    pub const fn organization_id(&self) -> OrganizationId {
        self.organization.id
    }

    /// Its first account, and the secret.
    pub const fn credentials(&self) -> &IssuedCredentials {
        &self.credentials
    }

    fn events(&self) -> [AuditEvent; 2] {
        let account = &self.credentials.account;
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
    /// Plans an organization and its first account, which holds `management:all`. Nothing is stored yet.
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
            credentials: IssuedCredentials { account, secret },
            stored,
        })
    }

    /// Whether there has been a bootstrap.
    pub async fn is_bootstrapped(&self) -> Result<bool, Unavailable> {
        let installation = self.store.installation().await?;
        Ok(installation.is_some_and(|(_, bootstrapped_at)| bootstrapped_at.is_some()))
    }

    /// Whether this account exists: by which an interrupted bootstrap finds out if it was committed.
    pub async fn has_service_account(
        &self,
        organization: OrganizationId,
        id: ServiceAccountId,
    ) -> Result<bool, Unavailable> {
        let found = self.store.find_service_account(organization, id).await?;
        Ok(found.is_some())
    }

    /// Commits the plan if there has been no bootstrap. `false`: there has, and nothing changed.
    pub async fn bootstrap_first(&self, plan: &Bootstrap) -> Result<bool, Unavailable> {
        let account = &plan.credentials.account;
        Ok(self
            .store
            .bootstrap_first(&plan.organization, account, &plan.stored, plan.events())
            .await?)
    }

    /// Commits the plan beside the organizations that there are.
    pub async fn bootstrap_another(&self, plan: &Bootstrap) -> Result<(), BootstrapError> {
        let account = &plan.credentials.account;
        let made = self
            .store
            .bootstrap_another(&plan.organization, account, &plan.stored, plan.events())
            .await
            .map_err(Unavailable::from)?;
        if !made {
            let name = plan.organization.name.as_str().to_owned();
            return Err(BootstrapError::NameTaken(name));
        }
        Ok(())
    }
}
