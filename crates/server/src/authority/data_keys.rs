//! The data keys at rest: opening them, creating them, and sealing them with another master key.

use super::{
    ambient::{Entropy, EntropyError},
    master_keys::{MasterKeys, UsedMasterKey},
    unavailable::{Unavailable, or_unavailable},
};
use crate::{
    keys::{DataKeyMaterial, MasterKey, OpenDataKeyError},
    store::{Store, StoredDataKeys},
};

/// How often an attempt is repeated because another process was faster.
const ATTEMPTS: usize = 5;

/// Why the data keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataKeysError {
    /// The database belongs to another master key.
    #[error("the database has another master key")]
    WrongMasterKey,
    /// The stored keys are damaged.
    #[error(transparent)]
    Damaged(#[from] OpenDataKeyError),
    /// The store or randomness does not work.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(DataKeysError::Unavailable);

/// The outcome of [`rewrap_data_keys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrapped {
    /// The data keys are sealed with the new master key now.
    Now,
    /// They were before.
    Before,
}

/// Opens the data keys of the installation with the master key that it has, and tells which one that is. On a new database, makes
/// random ones. On the database of a version that derived them from the master key, these become the data keys. Several nodes may do
/// so at once.
pub async fn open_data_keys(
    store: &Store,
    masters: &MasterKeys,
    entropy: &dyn Entropy,
) -> Result<(DataKeyMaterial, UsedMasterKey), DataKeysError> {
    for _ in 0..ATTEMPTS {
        let Some(stored) = store.data_keys().await? else {
            let mut random = zeroize::Zeroizing::new([0; DataKeyMaterial::RANDOM_BYTES]);
            entropy.fill(&mut *random)?;
            let material = DataKeyMaterial::from_random(&random);
            let keys = seal(&material, &masters.current, entropy)?;
            if store.claim_installation(&keys).await? {
                return Ok((material, UsedMasterKey::Current));
            }
            continue;
        };
        let (used, master) = masters
            .find(stored.master_key_check)
            .ok_or(DataKeysError::WrongMasterKey)?;
        if !stored.keys.is_empty() {
            return Ok((DataKeyMaterial::open(master, &stored.keys)?, used));
        }
        let material = DataKeyMaterial::derived_from(master);
        if store
            .add_data_keys(&seal(&material, master, entropy)?)
            .await?
        {
            return Ok((material, used));
        }
    }
    Err(Unavailable::KeysChanging.into())
}

/// Seals the data keys of the installation with the master key `new`, in one transaction. Nodes that run do not notice. Nodes that
/// start need `new` from then on. Repeated, it changes nothing.
pub async fn rewrap_data_keys(
    store: &Store,
    masters: &MasterKeys,
    new: &MasterKey,
    entropy: &dyn Entropy,
) -> Result<Rewrapped, DataKeysError> {
    for _ in 0..ATTEMPTS {
        let stored = store.data_keys().await?;
        if let Some(stored) = stored
            && stored.master_key_check == new.check_value()
            && !stored.keys.is_empty()
        {
            DataKeyMaterial::open(new, &stored.keys)?;
            return Ok(Rewrapped::Before);
        }
        let (material, used) = open_data_keys(store, masters, entropy).await?;
        let old = match (used, &masters.next) {
            (UsedMasterKey::Next, Some(next)) => next,
            _ => &masters.current,
        };
        let keys = seal(&material, new, entropy)?;
        if store.rewrap_data_keys(old.check_value(), &keys).await? {
            return Ok(Rewrapped::Now);
        }
    }
    Err(Unavailable::KeysChanging.into())
}

fn seal(
    material: &DataKeyMaterial,
    master: &MasterKey,
    entropy: &dyn Entropy,
) -> Result<StoredDataKeys, EntropyError> {
    let mut nonces = [0; DataKeyMaterial::NONCES_BYTES];
    entropy.fill(&mut nonces)?;
    Ok(StoredDataKeys {
        master_key_check: master.check_value(),
        keys: material.seal(master, &nonces),
    })
}
