//! [`Authority`]: what every use case works with.

use super::{
    ambient::{Clock, Entropy},
    id_sequence::IdSequence,
    key_following::KeyFollowing,
    master_keys::UsedMasterKey,
    organization_resources::OrganizationResources,
    overtaken_changes::OvertakenChanges,
    refused_login_counts::RefusedLoginCounts,
    rotation_policy::RotationPolicy,
    unavailable::Unavailable,
};
use crate::{
    domain::{ConfiguredResource, Resource},
    keys::KeyRing,
    store::Store,
};

/// The server without HTTP. Every use case is a method of it.
pub struct Authority {
    pub(super) store: Store,
    pub(super) keys: KeyRing,
    pub(super) management: Resource,
    pub(super) configured_resources: Vec<ConfiguredResource>,
    pub(super) organization_resources: OrganizationResources,
    pub(super) rotation: RotationPolicy,
    pub(super) clock: Box<dyn Clock>,
    pub(super) entropy: Box<dyn Entropy>,
    pub(super) id_sequence: IdSequence,
    pub(super) refused_logins: RefusedLoginCounts,
    pub(super) key_following: KeyFollowing,
    pub(super) overtaken_changes: OvertakenChanges,
    pub(super) signing_key_rotation_days: u16,
    pub(super) used_master_key: UsedMasterKey,
}

impl Authority {
    /// The issuer of the tokens: the `issuer` of RFC 8414.
    pub fn issuer(&self) -> &str {
        self.keys.issuer()
    }

    /// The management API as a resource.
    pub const fn management(&self) -> &Resource {
        &self.management
    }

    /// The resources of this node's configuration.
    pub fn configured_resources(&self) -> &[ConfiguredResource] {
        &self.configured_resources
    }

    /// Which of the master keys opened the data keys.
    pub const fn used_master_key(&self) -> UsedMasterKey {
        self.used_master_key
    }

    /// Checks that the store answers.
    pub async fn check_readiness(&self) -> Result<(), Unavailable> {
        self.store.installation().await?;
        Ok(())
    }
}
