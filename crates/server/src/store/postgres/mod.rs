//! The PostgreSQL driver: shared connections for reads, pooled connections for writes, prepared statements.
//!
//! A session keeps nothing but prepared statements, so a transaction pooler may stand between. A connection on which anything failed
//! is closed and not used again; an open transaction or answer ends with it.

mod address;
mod attempt;
mod database;
mod look_ups;
mod migrate;
mod query;
mod readers;
mod tls;
mod values;
mod write;

pub use address::InvalidPostgresUrl;
pub use database::Postgres;
