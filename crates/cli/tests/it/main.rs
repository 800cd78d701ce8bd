//! Prokura tested from outside. The modules of `suite` run on SQLite and on PostgreSQL, over real sockets; others start the
//! real binary.

// The suite is compiled once for each database, so that no test can forget one.
#![allow(clippy::duplicate_mod)]
// A test that unwraps says where it stopped, which is all it needs to say.
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
