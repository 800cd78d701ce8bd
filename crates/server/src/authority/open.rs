//! Bringing an authority up: the store, the master key and the signing keys must belong together.

use std::sync::atomic::AtomicI64;

use super::{Authority, Clock, Entropy, RotationPolicy, Unavailable, refused_logins};
use crate::{
    domain::{Resources, SigningAlgorithm, TokenFormat},
    keys::{KeyRing, MasterKey, OpenKeyError},
    store::{MigrateError, Store},
};

/// What an authority works by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who issues the tokens: the public URL, without a slash at the end.
    pub issuer: String,
    /// The resources that tokens can be for.
    pub resources: Resources,
    /// What is allowed when secrets change hands.
    pub rotation: RotationPolicy,
}

/// Why an authority does not come up.
#[derive(Debug, thiserror::Error)]
pub enum OpenAuthorityError {
    /// The schema is not one for this build.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The store belongs to another master key.
    #[error("the database was created with another master key")]
    WrongMasterKey,
    /// A signing key cannot be used.
    #[error(transparent)]
    SigningKey(#[from] OpenKeyError),
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Authority {
    /// Brings up the authority that works by `settings`: migrates the store, checks that the master
    /// key is the store's own, and sees that there is a signing key for every algorithm in use. Many nodes may do so at
    /// once on one empty store.
    pub async fn open(
        mut store: Store,
        master: &MasterKey,
        settings: Settings,
        clock: Box<dyn Clock>,
        entropy: Box<dyn Entropy>,
    ) -> Result<Self, OpenAuthorityError> {
        store.migrate().await?;
        let check = master.check_value();
        let claimed = store
            .claim_installation(check)
            .await
            .map_err(Unavailable::from)?;
        if claimed != check {
            return Err(OpenAuthorityError::WrongMasterKey);
        }

        store.remember().await.map_err(Unavailable::from)?;

        let algorithms = algorithms_in_use(&settings.resources);
        let mut stored = store.signing_keys().await.map_err(Unavailable::from)?;
        for &algorithm in &algorithms {
            if stored.iter().any(|key| key.algorithm == algorithm) {
                continue;
            }
            let mut nonce = [0; crate::keys::NONCE_BYTES];
            entropy.fill(&mut nonce).map_err(Unavailable::from)?;
            let now = clock.now().map_err(Unavailable::from)?;
            let key = KeyRing::new_signing_key(master, algorithm, nonce, now)
                .map_err(Unavailable::from)?;
            store
                .create_first_signing_key(&key)
                .await
                .map_err(Unavailable::from)?;
            // Another node may have been faster: what the store has now is what all use.
            stored = store.signing_keys().await.map_err(Unavailable::from)?;
        }
        let keys = KeyRing::open(master, &settings.issuer, &stored, algorithms)?;
        Ok(Self {
            store,
            keys,
            resources: settings.resources,
            rotation: settings.rotation,
            clock,
            entropy,
            last_id: AtomicI64::new(0),
            refused_logins: refused_logins::Recorder::default(),
        })
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
