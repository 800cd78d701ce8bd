//! The resources of the configuration are written to the database at the start of a server, so that all nodes judge by the database and
//! never by their own file.

use super::{
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::{
    domain::{
        ConfiguredResource, OrganizationId, ResourceId, SigningAlgorithm, Timestamp, TokenFormat,
    },
    store::StoredResource,
};

/// How often the resources are compared again because another node has written some.
const MAX_ATTEMPTS: usize = 10;

/// Why the resources of the configuration are not written.
#[derive(Debug, thiserror::Error)]
pub enum PublishResourcesError {
    /// No organization has this id or name.
    #[error(
        "the resource {identifier:?} belongs to the organization {organization:?}, which does not exist"
    )]
    NoOrganization {
        /// The identifier of the resource.
        identifier: String,
        /// The id or name in the configuration.
        organization: String,
    },
    /// The resources cannot be written now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(PublishResourcesError::Unavailable);

/// How the resources in the database differ from the configuration: their identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceDifference {
    /// In the configuration alone.
    pub added: Vec<String>,
    /// In both, with another content.
    pub changed: Vec<String>,
    /// In the database alone.
    pub removed: Vec<String>,
}

impl ResourceDifference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// What has to be written.
struct Plan {
    difference: ResourceDifference,
    removed: Vec<ResourceId>,
    added: Vec<StoredResource>,
}

impl Authority {
    /// Makes the resources in the database those of the configuration, and returns what differed. Without an organization, nothing is
    /// written. If several nodes do this at once, the last one prevails, for all nodes alike.
    pub async fn publish_resources(&self) -> Result<ResourceDifference, PublishResourcesError> {
        let now = self.clock.now()?;
        for algorithm in self.algorithms_in_use() {
            self.ensure_signing_key(algorithm).await?;
        }
        for _ in 0..MAX_ATTEMPTS {
            let (version, plan) = self.plan_resources(now).await?;
            let Some(plan) = plan else {
                return Ok(ResourceDifference::default());
            };
            let is_written = plan.difference.is_empty()
                || self
                    .store
                    .write_configured_resources(version, &plan.removed, &plan.added)
                    .await?;
            self.organization_resources.clear();
            if is_written {
                return Ok(plan.difference);
            }
        }
        Err(Unavailable::ResourcesChanging.into())
    }

    /// How the resources in the database differ from the configuration of this node, because another node has another one.
    pub async fn compare_resources(&self) -> Result<ResourceDifference, PublishResourcesError> {
        let now = self.clock.now()?;
        let (_, plan) = self.plan_resources(now).await?;
        Ok(plan.map(|plan| plan.difference).unwrap_or_default())
    }

    /// The algorithms that sign the tokens of the management API and of the configured resources.
    pub(super) fn algorithms_in_use(&self) -> Vec<SigningAlgorithm> {
        let mut algorithms = Vec::new();
        let configured = self.configured_resources.iter();
        let formats = configured.map(|configured| configured.resource.token_format);
        for format in formats.chain([self.management.token_format]) {
            if let TokenFormat::Jwt(algorithm) = format
                && !algorithms.contains(&algorithm)
            {
                algorithms.push(algorithm);
            }
        }
        algorithms
    }

    /// The version of the resources in the database, and what has to be written. `None`: there is no organization.
    async fn plan_resources(
        &self,
        now: Timestamp,
    ) -> Result<(i64, Option<Plan>), PublishResourcesError> {
        let organizations = self.store.organizations().await?;
        let (version, stored) = self.store.all_resources().await?;
        let Some((first, _)) = organizations.first() else {
            return Ok((version, None));
        };
        let mut plan = Plan {
            difference: ResourceDifference::default(),
            removed: Vec::new(),
            added: Vec::new(),
        };
        for configured in &self.configured_resources {
            let owner = match &configured.organization {
                None => *first,
                Some(named) => owner(&organizations, named).ok_or_else(|| {
                    PublishResourcesError::NoOrganization {
                        identifier: configured.resource.identifier.clone(),
                        organization: named.clone(),
                    }
                })?,
            };
            let identifier = &configured.resource.identifier;
            let known = stored
                .iter()
                .find(|stored| stored.resource.identifier == *identifier);
            let wanted = self.wanted(configured, owner, known, now)?;
            match known {
                Some(known) if *known == wanted => {}
                Some(known) => {
                    plan.difference.changed.push(identifier.clone());
                    plan.removed.push(known.id);
                    plan.added.push(wanted);
                }
                None => {
                    plan.difference.added.push(identifier.clone());
                    plan.added.push(wanted);
                }
            }
        }
        for stored in stored {
            let mut configured = self.configured_resources.iter();
            let identifier = stored.resource.identifier;
            if !configured.any(|configured| configured.resource.identifier == identifier) {
                plan.difference.removed.push(identifier);
                plan.removed.push(stored.id);
            }
        }
        Ok((version, Some(plan)))
    }

    fn wanted(
        &self,
        configured: &ConfiguredResource,
        owner: OrganizationId,
        known: Option<&StoredResource>,
        now: Timestamp,
    ) -> Result<StoredResource, Unavailable> {
        let id = match known {
            Some(known) => known.id,
            None => ResourceId::new(now, self.ordered_random(now)?),
        };
        Ok(StoredResource {
            id,
            organization_id: owner,
            is_shared: configured.is_shared,
            created_at: known.map_or(now, |known| known.created_at),
            resource: configured.resource.clone(),
        })
    }
}

fn owner(organizations: &[(OrganizationId, String)], named: &str) -> Option<OrganizationId> {
    let id = OrganizationId::parse(named);
    let mut organizations = organizations.iter();
    let found = organizations.find(|(known, name)| Some(*known) == id || name == named);
    found.map(|(id, _)| *id)
}
