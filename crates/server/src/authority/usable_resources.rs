//! Finds the resources that an organization can use.

use std::sync::Arc;

use super::{organization_resources::Known, state::Authority, unavailable::Unavailable};
use crate::domain::{OrganizationId, Resources};

impl Authority {
    /// The resources that `organization` can use, at the version that a look-up has returned.
    pub(super) async fn resources_at(
        &self,
        organization: OrganizationId,
        version: Option<i64>,
    ) -> Result<Arc<Resources>, Unavailable> {
        let known = &self.organization_resources;
        if let Some(resources) = known.get(organization, version) {
            return Ok(resources);
        }
        let _loading = known.loading.lock().await;
        match known.get(organization, version) {
            Some(resources) => Ok(resources),
            None => self.load_resources(organization).await,
        }
    }

    /// The resources that `organization` can use now, read from the store.
    pub(super) async fn load_resources(
        &self,
        organization: OrganizationId,
    ) -> Result<Arc<Resources>, Unavailable> {
        let read = self.store.usable_resources(organization).await?;
        let (version, others) = read.unwrap_or_default();
        let management = self.management.clone();
        let resources = Arc::new(Resources::of_organization(management, others));
        let known = Known {
            version,
            resources: Arc::clone(&resources),
        };
        self.organization_resources.insert(organization, &known);
        Ok(resources)
    }
}
