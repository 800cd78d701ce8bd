//! Opening an authority: the store, the master key and the signing keys must belong together.

use super::{
    ambient::{Clock, Entropy},
    id_sequence::IdSequence,
    key_following::KeyFollowing,
    refused_login_counts::RefusedLoginCounts,
    rotation_policy::RotationPolicy,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::{
    domain::{Resources, SigningAlgorithm, TokenFormat},
    keys::{DerivedKeys, KeyRing, MasterKey},
    store::{MigrateError, Store},
};

/// The settings of an authority.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer of the tokens: the public URL without a trailing slash.
    pub issuer: String,
    /// The resources that tokens can be issued for.
    pub resources: Resources,
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
    /// The database belongs to another master key.
    #[error("the database was created with another master key")]
    WrongMasterKey,
    /// The store, the clock, randomness or a stored signing key does not work.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(OpenAuthorityError::Unavailable);

impl Authority {
    /// Opens the authority with these `settings`: migrates the database, checks that it belongs to the master key, and
    /// creates a signing key for each algorithm in use that has none. Several nodes may do this at once on one empty
    /// database.
    pub async fn open(
        mut store: Store,
        master: &MasterKey,
        settings: Settings,
        clock: Box<dyn Clock>,
        entropy: Box<dyn Entropy>,
    ) -> Result<Self, OpenAuthorityError> {
        let now = clock.now()?;
        store.migrate().await?;
        let check = master.check_value();
        if store.claim_installation(check).await? != check {
            return Err(OpenAuthorityError::WrongMasterKey);
        }

        store.enable_cache().await?;

        let algorithms = algorithms_in_use(&settings.resources);
        let derived = DerivedKeys::new(master);
        let keys = KeyRing::open(derived, &settings.issuer, &store.signing_keys().await?)?;
        let authority = Self {
            store,
            keys,
            resources: settings.resources,
            rotation: settings.rotation,
            clock,
            entropy,
            id_sequence: IdSequence::default(),
            refused_logins: RefusedLoginCounts::default(),
            key_following: KeyFollowing::new(now),
            signing_key_rotation_days: settings.signing_key_rotation_days,
        };
        for algorithm in algorithms {
            authority.ensure_signing_key(algorithm).await?;
        }
        Ok(authority)
    }
}

fn algorithms_in_use(resources: &Resources) -> Vec<SigningAlgorithm> {
    let mut algorithms = Vec::new();
    for resource in resources.iter() {
        if let TokenFormat::Jwt(algorithm) = resource.token_format
            && !algorithms.contains(&algorithm)
        {
            algorithms.push(algorithm);
        }
    }
    algorithms
}
