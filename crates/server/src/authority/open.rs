//! Opening an authority: the store, the master key, the data keys and the signing keys must belong together.

use super::{
    ambient::{Clock, Entropy},
    data_keys::{DataKeysError, open_data_keys},
    id_sequence::IdSequence,
    key_following::KeyFollowing,
    master_keys::MasterKeys,
    organization_resources::OrganizationResources,
    overtaken_changes::OvertakenChanges,
    refused_login_counts::RefusedLoginCounts,
    rotation_policy::RotationPolicy,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::{
    domain::{ConfiguredResource, Resource},
    keys::{DataKeys, KeyRing},
    store::{MigrateError, Store},
};

/// The settings of an authority.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer of the tokens: the public URL without a trailing slash.
    pub issuer: String,
    /// The management API as a resource.
    pub management: Resource,
    /// The resources of the configuration. [`Authority::publish_resources`] writes them to the database.
    pub configured_resources: Vec<ConfiguredResource>,
    /// The limits of secret rotation.
    pub rotation: RotationPolicy,
    /// How long a signing key signs until the next one takes its place, in days.
    pub signing_key_rotation_days: u16,
}

/// Why an authority does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenAuthorityError {
    /// The database schema does not fit this build.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The data keys do not open with the master key.
    #[error(transparent)]
    DataKeys(#[from] DataKeysError),
    /// The store, the clock, randomness or a stored signing key does not work.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(OpenAuthorityError::Unavailable);

impl Authority {
    /// Opens the authority with these `settings`: migrates the database, opens its data keys with one of the master keys, and
    /// creates a signing key for each algorithm in use that has none. Several nodes may do this at once on one empty
    /// database.
    pub async fn open(
        mut store: Store,
        masters: &MasterKeys,
        settings: Settings,
        clock: Box<dyn Clock>,
        entropy: Box<dyn Entropy>,
    ) -> Result<Self, OpenAuthorityError> {
        let now = clock.now()?;
        store.migrate().await?;
        let (material, used_master_key) = open_data_keys(&store, masters, &*entropy).await?;

        store.enable_cache().await?;

        let data = DataKeys::new(&material);
        let keys = KeyRing::open(data, &settings.issuer, &store.signing_keys().await?)?;
        let authority = Self {
            store,
            keys,
            management: settings.management,
            configured_resources: settings.configured_resources,
            organization_resources: OrganizationResources::default(),
            rotation: settings.rotation,
            clock,
            entropy,
            id_sequence: IdSequence::default(),
            refused_logins: RefusedLoginCounts::default(),
            key_following: KeyFollowing::new(now),
            overtaken_changes: OvertakenChanges::default(),
            used_master_key,
            signing_key_rotation_days: settings.signing_key_rotation_days,
        };
        for algorithm in authority.algorithms_in_use() {
            authority.ensure_signing_key(algorithm).await?;
        }
        Ok(authority)
    }
}
