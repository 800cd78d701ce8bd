//! One attempt on a connection: how long it may take, what its failure means, and whether another one follows.

use std::time::Duration;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio::time::error::Elapsed;
use tokio_postgres::error::SqlState;

use crate::store::database::{DatabaseError, MigrateError};

/// How long one read or write may take.
pub(super) const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);

/// Why an attempt failed.
pub(super) enum Failure {
    /// Nothing has happened, so the attempt can be repeated: the connection was closed before, or another transaction was in the
    /// way.
    Again(DatabaseError),
    /// The attempt must not be repeated, as far as is known.
    Final(DatabaseError),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        const AGAIN: [SqlState; 7] = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            // The server was stopped, or crashed and restarts.
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            // The primary has become a standby; a new connection finds the new primary.
            SqlState::READ_ONLY_SQL_TRANSACTION,
            // The statement was prepared before another node migrated the schema, or before a pooler changed the server.
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::INVALID_SQL_STATEMENT_NAME,
        ];
        let again = error.is_closed() || error.code().is_some_and(|code| AGAIN.contains(code));
        if again {
            Self::Again(error.into())
        } else {
            Self::Final(error.into())
        }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Final(error)
    }
}

impl From<Elapsed> for Failure {
    fn from(error: Elapsed) -> Self {
        Self::Final(error.into())
    }
}

/// The answer of an attempt. `None`: it failed in a way that allows another one, and one is left.
pub(super) fn settle<T>(
    outcome: Result<T, Failure>,
    attempts_left: &mut usize,
) -> Result<Option<T>, DatabaseError> {
    *attempts_left -= 1;
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(Failure::Again(_)) if *attempts_left > 0 => Ok(None),
        Err(Failure::Again(error) | Failure::Final(error)) => Err(error),
    }
}

/// The error if no connection is ready in time.
pub(super) fn no_connection_in_time() -> DatabaseError {
    DatabaseError::new("PostgreSQL does not accept a connection in time")
}

impl From<PoolError> for DatabaseError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(TimeoutType::Wait) => {
                Self::new("every connection to PostgreSQL stayed in use for too long")
            }
            PoolError::Timeout(_) => no_connection_in_time(),
            error => Self::new(error),
        }
    }
}

impl From<Elapsed> for DatabaseError {
    fn from(_: Elapsed) -> Self {
        Self::new("PostgreSQL does not answer in time")
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    /// Keeps PostgreSQL's message without its DETAIL, which quotes rows: a row may hold a digest.
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            return Self::new(error);
        };
        let code = said.code().code();
        Self::new(format!("{} (SQLSTATE {code})", said.message()))
    }
}

impl From<tokio_postgres::Error> for MigrateError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failed(error.into())
    }
}
