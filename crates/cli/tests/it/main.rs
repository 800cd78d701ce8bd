//! Prokura, tested from outside.
//!
//! `suite/` runs on SQLite and on PostgreSQL, against a server in this process. `operations/` and `remote/` start the
//! real binary.

// The suite is compiled once for each database, so that every test runs on both.
#![allow(clippy::duplicate_mod)]
// A failing `unwrap` names its line, which is all that a test needs.
#![allow(clippy::unwrap_used)]
#![allow(missing_docs, unreachable_pub)]

mod account_fields;
mod docs;
mod harness;
mod house;
mod oauth2_crate;
mod on_postgres;
mod on_sqlite;
mod operations;
mod quickstart;
mod remote;
mod schema;
mod standards;
