//! The keys that sign tokens.

use super::{
    database::{DatabaseError, Row, Statement, Step, Written},
    error::{StoreError, during},
    handle::Store,
};
use crate::domain::{SigningAlgorithm, SigningKeyLife, SigningKeySet, StoredSigningKey, Timestamp};

/// A change of one signing key.
#[derive(Clone, Debug)]
pub enum SigningKeyChange {
    /// Add this key.
    Add(StoredSigningKey),
    /// Change when the key `id` begins to sign.
    Reschedule {
        /// The `kid`.
        id: String,
        /// When it begins to sign.
        signs_from: Timestamp,
    },
    /// Revoke the key `id`.
    Revoke {
        /// The `kid`.
        id: String,
        /// When it is revoked.
        at: Timestamp,
    },
    /// Delete the key `id`.
    Delete {
        /// The `kid`.
        id: String,
    },
}

impl Store {
    /// Every signing key, with the version of the set that they are.
    pub async fn signing_keys(&self) -> Result<SigningKeySet, StoreError> {
        const OPERATION: &str = "reading the signing keys";
        // One statement, so that the keys are those of the version.
        let select = Statement::new(
            "SELECT i.keys_version, k.id, k.algorithm, k.private_key, k.public_key, k.generation, k.created_at, \
             k.not_before, k.revoked_at FROM installation i LEFT JOIN signing_keys k ON k.generation > 0 \
             ORDER BY k.algorithm, k.generation",
            [],
        );
        let rows = self.read(OPERATION, select).await?;
        set(rows).map_err(during(OPERATION))
    }

    /// The version of the set of signing keys. Every change of the keys raises it.
    pub async fn keys_version(&self) -> Result<i64, StoreError> {
        const OPERATION: &str = "reading the version of the signing keys";
        let select = Statement::new("SELECT keys_version FROM installation", []);
        let mut rows = self.read(OPERATION, select).await?;
        let row = rows.pop().ok_or_else(|| DatabaseError::new(NO_ROW));
        row.and_then(|mut row| row.next())
            .map_err(during(OPERATION))
    }

    /// Applies the changes if the set still has the `version` at which it was read. `false`: it has not, and nothing changed.
    pub async fn change_signing_keys(
        &self,
        version: i64,
        changes: &[SigningKeyChange],
    ) -> Result<bool, StoreError> {
        let raise = Statement::new(
            "UPDATE installation SET keys_version = keys_version + 1 WHERE keys_version = $1",
            [version.into()],
        );
        let mut steps = vec![Step::Require(raise)];
        steps.extend(
            changes
                .iter()
                .map(|change| Step::Require(statement(change))),
        );
        let written = self.write("changing the signing keys", steps).await?;
        Ok(written == Written::Wholly)
    }
}

const NO_ROW: &str = "the table `installation` is empty";

fn set(rows: Vec<Row>) -> Result<SigningKeySet, DatabaseError> {
    let mut version = None;
    let mut keys = Vec::new();
    for mut row in rows {
        version = Some(row.next()?);
        // Without keys there is one row, in which the key is NULL.
        let Some(id) = row.next()? else { continue };
        keys.push(StoredSigningKey {
            id,
            algorithm: SigningAlgorithm::parse(&row.next::<String>()?).ok_or_else(|| {
                DatabaseError::new("a signing key has an algorithm that this version does not know")
            })?,
            sealed_private_key: row.next()?,
            public_key: row.next()?,
            life: SigningKeyLife {
                generation: row.next()?,
                created_at: row.next()?,
                signs_from: row.next()?,
                revoked_at: row.next()?,
            },
        });
    }
    let version = version.ok_or_else(|| DatabaseError::new(NO_ROW))?;
    Ok(SigningKeySet { version, keys })
}

fn statement(change: &SigningKeyChange) -> Statement {
    match change {
        SigningKeyChange::Add(key) => Statement::new(
            "INSERT INTO signing_keys (id, algorithm, generation, private_key, public_key, created_at, not_before) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (algorithm, generation) DO NOTHING",
            [
                key.id.clone().into(),
                key.algorithm.as_str().to_owned().into(),
                key.life.generation.into(),
                key.sealed_private_key.clone().into(),
                key.public_key.clone().into(),
                key.life.created_at.into(),
                key.life.signs_from.into(),
            ],
        ),
        SigningKeyChange::Reschedule { id, signs_from } => Statement::new(
            "UPDATE signing_keys SET not_before = $2 WHERE id = $1 AND revoked_at IS NULL",
            [id.clone().into(), (*signs_from).into()],
        ),
        SigningKeyChange::Revoke { id, at } => Statement::new(
            "UPDATE signing_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
            [id.clone().into(), (*at).into()],
        ),
        SigningKeyChange::Delete { id } => Statement::new(
            "DELETE FROM signing_keys WHERE id = $1",
            [id.clone().into()],
        ),
    }
}
