//! The suite on PostgreSQL.

const DATABASE: crate::harness::Database = crate::harness::Database::Postgres;

#[path = "suite/mod.rs"]
mod suite;
