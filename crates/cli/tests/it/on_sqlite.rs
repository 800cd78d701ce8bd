//! The suite on SQLite.

const DATABASE: crate::harness::Database = crate::harness::Database::Sqlite;

#[path = "suite/mod.rs"]
mod suite;
