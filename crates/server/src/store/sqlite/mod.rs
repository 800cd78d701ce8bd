//! The SQLite driver: one writer thread with group commit, and a few reader connections.
//!
//! With `synchronous=FULL` an acknowledged write is durable, and each commit costs one flush of the disk. The writer therefore
//! commits all waiting writes together. Reads run on the caller's thread: a point read from the WAL takes a few microseconds, less
//! than handing it to another thread.

mod command_writes;
mod database;
mod migrate;
mod open;
mod private_file;
mod statements;
mod writer;

pub use command_writes::{CommandWriteError, CommandWrites};
pub use database::Sqlite;
pub use open::{OpenSqliteError, SqliteAccess};
