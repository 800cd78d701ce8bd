//! The error of every operation of the store.

use super::database::DatabaseError;

/// Storage failed. Whether a write happened is unknown, so the caller must refuse the request.
#[derive(Debug, thiserror::Error)]
#[error("storage failed while {operation}")]
pub struct StoreError {
    operation: &'static str,
    #[source]
    source: DatabaseError,
}

/// Names the operation that a database error belongs to, as in "storage failed while listing secrets".
pub(super) fn during(operation: &'static str) -> impl FnOnce(DatabaseError) -> StoreError {
    move |source| StoreError { operation, source }
}
