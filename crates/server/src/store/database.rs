//! The interface of a database driver, and the values that pass through it.
//!
//! The SQL is the same for both databases. Parameters are written `$1`, and columns have one of four types.

use std::fmt;

use futures_util::future::BoxFuture;

use super::sqlite::CommandWrites;
use crate::domain::{
    AuditEvent, OrganizationId, ResourceId, SecretId, ServiceAccountId, Timestamp, TokenId,
};

/// A database driver. Each call is atomic. An acknowledged [`Database::write`] is durable, and every later read sees it.
pub trait Database: Send + Sync + 'static {
    /// The rows of one statement.
    fn read(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<Row>, DatabaseError>>;

    /// As [`Database::read`], for a look-up: all parameters are ids, there is at least one, and the rows are few. A driver may batch
    /// concurrent look-ups with the same SQL.
    fn look_up(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<Row>, DatabaseError>>;

    /// Applies the steps in one transaction, which commits if every [`Step::Require`] touches a row and rolls back otherwise.
    fn write(&self, steps: Vec<Step>) -> BoxFuture<'_, Result<Written, DatabaseError>>;

    /// The writes of other processes, if they announce them and this process alone changes the database otherwise, so that what it
    /// has read stays current until it writes. `None`: anybody may write at any time.
    fn command_writes(&self) -> Option<&CommandWrites>;

    /// Brings the schema to the version that this build knows. Several nodes may call it at once.
    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>>;

    /// The version of the schema. `None`: the database is empty. Changes nothing.
    fn schema_version(&self) -> BoxFuture<'_, Result<Option<i64>, MigrateError>>;
}

/// One SQL statement with its parameters.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The SQL, the same for both databases.
    pub sql: &'static str,
    /// The values of the parameters: the first is `$1`.
    pub params: Vec<Value>,
}

impl Statement {
    pub(super) fn new<const N: usize>(sql: &'static str, params: [Value; N]) -> Self {
        Self {
            sql,
            params: params.into(),
        }
    }
}

/// The outcome of a write that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was committed and is durable.
    Wholly,
    /// It was rolled back, because a step required a row and found none.
    NotAtAll {
        /// The index of that step.
        refused_by: usize,
    },
}

/// One step of a write.
#[derive(Clone, Debug)]
pub enum Step {
    /// Run this statement. If it touches no row, the write is rolled back.
    Require(Statement),
    /// Run this statement, however many rows it touches.
    Run(Statement),
    /// Append this event to the chain of its organization. The only step that reads before it writes. If there is no such
    /// organization, the write is rolled back.
    Append(AuditEvent),
}

/// The value of a column, of one of the four types that both databases treat alike.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl fmt::Debug for Value {
    /// Prints the type alone: a value may be a digest or a name, which must not be logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Integer(_) => "Integer(..)",
            Self::Text(_) => "Text(..)",
            Self::Bytes(_) => "Bytes(..)",
        })
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.into())
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Integer(value.as_millis())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of a result, decoded column by column from the left.
#[derive(Debug)]
pub struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    /// Decodes the next column.
    pub(super) fn next<T: Column>(&mut self) -> Result<T, DatabaseError> {
        let value = self.0.next().unwrap_or(Value::Null);
        T::read(value).ok_or_else(|| DatabaseError::new("a column holds a value of another type"))
    }
}

/// A type that a column can be decoded as. `None`: the column holds a value of another type.
pub(super) trait Column: Sized {
    fn read(value: Value) -> Option<Self>;
}

impl Column for i64 {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Integer(value) => Some(value),
            _ => None,
        }
    }
}

impl Column for String {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Text(value) => Some(value),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(value) => Some(value),
            _ => None,
        }
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(value: Value) -> Option<Self> {
        Vec::<u8>::read(value)?.try_into().ok()
    }
}

impl Column for Timestamp {
    fn read(value: Value) -> Option<Self> {
        i64::read(value).map(Self::from_millis)
    }
}

impl<T: Column> Column for Option<T> {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::read(value).map(Some),
        }
    }
}

macro_rules! id_column {
    ($($id:ident),*) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                (*id.as_bytes()).into()
            }
        }

        impl Column for $id {
            fn read(value: Value) -> Option<Self> {
                Column::read(value).map(Self::from_bytes)
            }
        }
    )*};
}

id_column!(
    OrganizationId,
    ResourceId,
    SecretId,
    ServiceAccountId,
    TokenId
);

/// A database operation failed: the database is unreachable, too slow, full or broken, or holds what this build cannot read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DatabaseError(Box<dyn std::error::Error + Send + Sync>);

impl DatabaseError {
    /// An error with this cause.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Why a database cannot be used by this build.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer version of Prokura has migrated the database.
    #[error(
        "the database has schema version {found}, but this version of Prokura only knows versions up to {known}"
    )]
    Newer {
        /// The version found.
        found: i64,
        /// The newest version this build knows.
        known: i64,
    },
    /// The database holds tables of another program.
    #[error("the database contains tables of another application, such as {0:?}")]
    Foreign(String),
    /// A statement failed.
    #[error(transparent)]
    Failed(#[from] DatabaseError),
}
