//! Prokura tested from outside. The modules of `suite` run on SQLite and on PostgreSQL, over real sockets; others start the
//! real binary.

// The suite is compiled once for each database, so that no test can forget one.
#![allow(clippy::duplicate_mod)]
#![allow(missing_docs)]
// A test may unwrap and so may what it calls; and a test binary has no one to reach.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod configuration;
mod durability;
mod first_start;
mod harness;
mod house;
mod nodes;
mod on_postgres;
mod on_sqlite;
mod postgres;
mod quickstart;
mod schema;
mod secrecy;
