//! The keys that sign tokens.

use super::{
    database::{DatabaseError, Statement, Step, Written},
    error::{StoreError, during},
    handle::Store,
};
use crate::domain::{SigningAlgorithm, StoredSigningKey};

impl Store {
    /// Every key that has not been retired, oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError> {
        const OPERATION: &str = "reading the signing keys";
        let rows = self
            .read(
                OPERATION,
                Statement::new(
                    "SELECT id, algorithm, private_key, public_key, created_at FROM signing_keys \
                     WHERE retired_at IS NULL ORDER BY algorithm, generation",
                    [],
                ),
            )
            .await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(StoredSigningKey {
                    id: row.next()?,
                    algorithm: SigningAlgorithm::parse(&row.next::<String>()?).ok_or_else(
                        || {
                            DatabaseError::new(
                                "a signing key has an algorithm that this version does not know",
                            )
                        },
                    )?,
                    sealed_private_key: row.next()?,
                    public_key: row.next()?,
                    created_at: row.next()?,
                })
            })
            .collect::<Result<_, _>>()
            .map_err(during(OPERATION))
    }

    /// Stores the first key of an algorithm. `false`: the algorithm has a key already, and nothing changed.
    pub async fn create_first_signing_key(
        &self,
        key: &StoredSigningKey,
    ) -> Result<bool, StoreError> {
        let insert = Statement::new(
            "INSERT INTO signing_keys (id, algorithm, generation, private_key, public_key, created_at, not_before, \
             retired_at) VALUES ($1, $2, 1, $3, $4, $5, $5, NULL) ON CONFLICT (algorithm, generation) DO NOTHING",
            [
                key.id.clone().into(),
                key.algorithm.as_str().to_owned().into(),
                key.sealed_private_key.clone().into(),
                key.public_key.clone().into(),
                key.created_at.into(),
            ],
        );
        let written = self
            .write("creating a signing key", vec![Step::Require(insert)])
            .await?;
        Ok(written == Written::Wholly)
    }
}
