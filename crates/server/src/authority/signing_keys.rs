//! Changes of the signing keys: creating, rotating and revoking them.
//!
//! Each change is planned from the keys as they were read ([`SigningKeySet`]), and written only if they have not changed since. Of
//! several nodes that plan the same change, one writes it; the others read again and find nothing to do.

use super::{state::Authority, unavailable::Unavailable};
use crate::{
    domain::{
        KeyStep, SigningAlgorithm, SigningKeyLife, SigningKeySet, StoredSigningKey, Timestamp,
    },
    keys::{KeyError, NONCE_BYTES, SigningKey},
    store::SigningKeyChange,
};

/// How often a change is planned again because another node was faster.
const ATTEMPTS: usize = 20;

/// Why a signing key is not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeSigningKeyError {
    /// There is no such key.
    #[error("there is no signing key with the key ID {0}")]
    NotFound(String),
    /// The key was revoked before.
    #[error("the signing key {0} is revoked already")]
    Revoked(String),
    /// The key cannot be revoked now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

super::unavailable::or_unavailable!(RevokeSigningKeyError::Unavailable);

impl Authority {
    /// Creates a key for `algorithm` that signs at once, unless there is one. Call it before tokens of a new algorithm are needed. Any
    /// node may call it at any time.
    pub async fn ensure_signing_key(&self, algorithm: SigningAlgorithm) -> Result<(), Unavailable> {
        self.change_signing_keys(|keys, now| keys.plan_first(algorithm, now))
            .await
            .map(drop)
    }

    /// Carries out the scheduled rotation: publishes the next key of an algorithm a day before its turn, and deletes keys whose tokens
    /// have all expired. Returns what was done. Call it at start and from time to time; several nodes may do so.
    pub async fn rotate_due_signing_keys(&self) -> Result<Vec<KeyStep>, Unavailable> {
        let days = self.signing_key_rotation_days;
        self.change_signing_keys(|keys, now| keys.plan_scheduled(days, now))
            .await
    }

    /// Lets the next key of each of the `algorithms` that has a key sign: `at_once`, or as soon as it has been published for a day.
    /// Returns what was done; nothing is done if it is scheduled already.
    pub async fn rotate_signing_keys(
        &self,
        algorithms: &[SigningAlgorithm],
        at_once: bool,
    ) -> Result<Vec<KeyStep>, Unavailable> {
        self.change_signing_keys(|keys, now| {
            let with_key = algorithms
                .iter()
                .filter(|algorithm| keys.signing(**algorithm, now).is_some());
            with_key
                .flat_map(|algorithm| keys.plan_rotation(*algorithm, at_once, now))
                .collect()
        })
        .await
    }

    /// Revokes the key `id`, on every node at once: it is no longer published, and its tokens are inactive. If it signs, another key
    /// replaces it. Returns what was done.
    pub async fn revoke_signing_key(
        &self,
        id: &str,
    ) -> Result<Vec<KeyStep>, RevokeSigningKeyError> {
        let mut is_known = false;
        let done = self
            .change_signing_keys(|keys, now| {
                let plan = keys.plan_revocation(id, now);
                is_known = plan.is_some();
                plan.unwrap_or_default()
            })
            .await?;
        match (is_known, done.is_empty()) {
            (false, _) => Err(RevokeSigningKeyError::NotFound(id.to_owned())),
            (true, true) => Err(RevokeSigningKeyError::Revoked(id.to_owned())),
            (true, false) => Ok(done),
        }
    }

    /// All signing keys, as they are stored, and the time by which to judge them.
    pub async fn list_signing_keys(&self) -> Result<(SigningKeySet, Timestamp), Unavailable> {
        let now = self.clock.now()?;
        Ok((self.store.signing_keys().await?, now))
    }

    /// Carries out a plan, and makes the plan again if the keys change meanwhile. Returns the steps that were carried out. This node
    /// then has the keys as they are stored.
    async fn change_signing_keys(
        &self,
        mut plan: impl FnMut(&SigningKeySet, Timestamp) -> Vec<KeyStep>,
    ) -> Result<Vec<KeyStep>, Unavailable> {
        for _ in 0..ATTEMPTS {
            let now = self.clock.now()?;
            let keys = self.store.signing_keys().await?;
            self.follow_keys(Some(keys.version)).await?;
            let steps = plan(&keys, now);
            if steps.is_empty() {
                return Ok(steps);
            }
            let mut changes = Vec::with_capacity(steps.len());
            for step in &steps {
                changes.push(self.change(step, now).await?);
            }
            // If this call is cancelled after the commit, the next request loads the keys.
            self.keys.forget_version();
            let write = self.store.change_signing_keys(keys.version, &changes);
            if write.await? {
                self.reload_keys().await?;
                return Ok(steps);
            }
        }
        Err(Unavailable::KeysChanging)
    }

    async fn change(
        &self,
        step: &KeyStep,
        now: Timestamp,
    ) -> Result<SigningKeyChange, Unavailable> {
        Ok(match step.clone() {
            KeyStep::Create {
                algorithm,
                generation,
                signs_from,
            } => {
                let life = SigningKeyLife {
                    generation,
                    created_at: now,
                    signs_from,
                    revoked_at: None,
                };
                SigningKeyChange::Add(self.new_signing_key(algorithm, life).await?)
            }
            KeyStep::Reschedule { id, signs_from } => {
                SigningKeyChange::Reschedule { id, signs_from }
            }
            KeyStep::Revoke { id, at } => SigningKeyChange::Revoke { id, at },
            KeyStep::Delete { id } => SigningKeyChange::Delete { id },
        })
    }

    async fn new_signing_key(
        &self,
        algorithm: SigningAlgorithm,
        life: SigningKeyLife,
    ) -> Result<StoredSigningKey, Unavailable> {
        let mut nonce = [0; NONCE_BYTES];
        self.entropy.fill(&mut nonce)?;
        // An RSA key takes 100 ms, in which this thread serves other requests.
        let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm))
            .await
            .map_err(|_| KeyError)??;
        Ok(self.keys.data.signing_key_seal.seal(&made, nonce, life))
    }
}
