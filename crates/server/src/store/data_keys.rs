//! The data keys, and the check value of the master key that seals them.

use super::{
    database::{DatabaseError, Row, Statement, Step, Written},
    error::{StoreError, during},
    handle::Store,
};
use crate::domain::SealedDataKey;

/// The data keys as they are stored.
#[derive(Clone, Debug)]
pub struct StoredDataKeys {
    /// The check value of the master key that seals them.
    pub master_key_check: [u8; 32],
    /// The keys. Empty: an earlier version, which had none, created the installation.
    pub keys: Vec<SealedDataKey>,
}

impl Store {
    /// The data keys. `None`: the database is new.
    pub async fn data_keys(&self) -> Result<Option<StoredDataKeys>, StoreError> {
        const OPERATION: &str = "reading the data keys";
        // One statement, so that the keys are sealed with the master key that the check value names.
        let select = Statement::new(
            "SELECT i.master_key_check, k.purpose, k.generation, k.sealed FROM installation i \
             LEFT JOIN data_keys k ON k.generation > 0",
            [],
        );
        let rows = self.read(OPERATION, select).await?;
        stored(rows).map_err(during(OPERATION))
    }

    /// Makes the database an installation with these `keys`. `false`: it is one already, and nothing changed.
    pub async fn claim_installation(&self, keys: &StoredDataKeys) -> Result<bool, StoreError> {
        let claim = Statement::new(
            "INSERT INTO installation (id, master_key_check, bootstrapped_at) VALUES (1, $1, NULL) \
             ON CONFLICT (id) DO NOTHING",
            [keys.master_key_check.into()],
        );
        self.write_keys("claiming the installation", claim, keys)
            .await
    }

    /// Adds the first `keys` to an installation that has none. `false`: it has some, or another master key, and nothing changed.
    pub async fn add_data_keys(&self, keys: &StoredDataKeys) -> Result<bool, StoreError> {
        // The update locks the row. Of several nodes, the others wait for the first one and then find its keys.
        let lock = Statement::new(
            "UPDATE installation SET master_key_check = $1 WHERE master_key_check = $1 \
             AND NOT EXISTS (SELECT 1 FROM data_keys)",
            [keys.master_key_check.into()],
        );
        self.write_keys("adding the data keys", lock, keys).await
    }

    /// Replaces the data keys by `keys`, the same sealed with another master key. `old_check`: the check value of the master key that
    /// sealed them before. `false`: they were sealed with another one, and nothing changed.
    pub async fn rewrap_data_keys(
        &self,
        old_check: [u8; 32],
        keys: &StoredDataKeys,
    ) -> Result<bool, StoreError> {
        let change = Statement::new(
            "UPDATE installation SET master_key_check = $2 WHERE master_key_check = $1",
            [old_check.into(), keys.master_key_check.into()],
        );
        let mut steps = vec![Step::Require(change)];
        steps.extend(keys.keys.iter().map(|key| {
            Step::Require(Statement::new(
                "UPDATE data_keys SET sealed = $3 WHERE purpose = $1 AND generation = $2",
                [
                    key.purpose.clone().into(),
                    key.generation.into(),
                    key.sealed.clone().into(),
                ],
            ))
        }));
        let written = self.write("rewrapping the data keys", steps).await?;
        Ok(written == Written::Wholly)
    }

    async fn write_keys(
        &self,
        operation: &'static str,
        condition: Statement,
        keys: &StoredDataKeys,
    ) -> Result<bool, StoreError> {
        let mut steps = vec![Step::Require(condition)];
        steps.extend(keys.keys.iter().map(|key| {
            Step::Require(Statement::new(
                "INSERT INTO data_keys (purpose, generation, sealed) VALUES ($1, $2, $3) \
                 ON CONFLICT (purpose, generation) DO NOTHING",
                [
                    key.purpose.clone().into(),
                    key.generation.into(),
                    key.sealed.clone().into(),
                ],
            ))
        }));
        let written = self.write(operation, steps).await?;
        Ok(written == Written::Wholly)
    }
}

fn stored(rows: Vec<Row>) -> Result<Option<StoredDataKeys>, DatabaseError> {
    let mut found: Option<StoredDataKeys> = None;
    for mut row in rows {
        let master_key_check = row.next()?;
        let found = found.get_or_insert_with(|| StoredDataKeys {
            master_key_check,
            keys: Vec::new(),
        });
        // Without data keys there is one row, in which the key is NULL.
        if let Some(purpose) = row.next()? {
            found.keys.push(SealedDataKey {
                purpose,
                generation: row.next()?,
                sealed: row.next()?,
            });
        }
    }
    Ok(found)
}
