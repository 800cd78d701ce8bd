//! What a database must be able to do: run one read, or one list of steps as a whole. The SQL is the same for both, with
//! `$1`-style parameters and columns of four types.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::domain::{AuditEvent, OrganizationId, SecretId, ServiceAccountId, Timestamp, TokenId};

/// A driver. Every call is atomic; what [`Database::write`] has acknowledged is durable and seen by every later read.
pub trait Database: Send + Sync + 'static {
    /// The rows of one statement.
    fn read(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<Row>, DatabaseError>>;

    /// As [`Database::read`], of a statement that looks something up: its parameters are ids, at least one, and its rows are
    /// few. Those of the same text that are asked for at the same time may be answered together.
    fn look_up(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<Row>, DatabaseError>>;

    /// Applies the steps in one transaction: wholly if every [`Step::Require`] touches a row, and not at all otherwise.
    fn write(&self, steps: Vec<Step>) -> BoxFuture<'_, Result<Written, DatabaseError>>;

    /// Whether nobody but this process changes what is there, so that what it has read stays true until it writes.
    fn is_solely_owned(&self) -> bool;

    /// Brings the schema to the version this build knows. Safe to call from many nodes at once.
    fn migrate(&self) -> BoxFuture<'_, Result<(), MigrateError>>;

    /// The version of the schema; `None` in an empty database. Changes nothing.
    fn schema_version(&self) -> BoxFuture<'_, Result<Option<i64>, MigrateError>>;
}

/// One SQL statement with its parameters: `$1` is the first.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The text, the same for both databases.
    pub sql: &'static str,
    /// The values of its parameters.
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

/// What came of a write that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// All of it is done and durable.
    Wholly,
    /// Nothing is done: the step at this index required a row and found none.
    NotAtAll {
        /// The index of that step.
        refused_by: usize,
    },
}

/// One step of a write.
#[derive(Clone, Debug)]
pub enum Step {
    /// Run this statement; if it touches no row, nothing of the write is done.
    Require(Statement),
    /// Run this statement, whatever it touches.
    Run(Statement),
    /// Put this event at the end of its organization's chain. The one step that has to read before it writes.
    Append(AuditEvent),
}

/// A column's value: one of the four things that both databases mean the same by.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl fmt::Debug for Value {
    /// The kind alone: a value may be a digest or a name, and neither belongs in a log.
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

/// One row of an answer, read column by column from the left.
#[derive(Debug)]
pub struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    /// The next column.
    pub(super) fn next<T: Column>(&mut self) -> Result<T, DatabaseError> {
        let value = self.0.next().unwrap_or(Value::Null);
        T::read(value).ok_or_else(|| DatabaseError::new("a column holds what it cannot hold"))
    }
}

/// A type that a column can be read as. `None`: the column holds something else.
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

id_column!(OrganizationId, SecretId, ServiceAccountId, TokenId);

/// A database did not do what it was asked: unreachable, too slow, full, broken.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DatabaseError(Box<dyn std::error::Error + Send + Sync>);

impl DatabaseError {
    /// The failure with this cause.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Why a database cannot be used by this build.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer build has been here.
    #[error(
        "the database has schema version {found}, but this version of Prokura only knows versions up to {known}"
    )]
    Newer {
        /// The version found.
        found: i64,
        /// The newest version this build knows.
        known: i64,
    },
    /// Somebody else's tables.
    #[error("the database contains tables of another application, such as {0:?}")]
    Foreign(String),
    /// It did not answer, or not as asked.
    #[error(transparent)]
    Failed(#[from] DatabaseError),
}
