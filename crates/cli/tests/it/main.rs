//! Prokura tested from outside. The modules of `suite` run on SQLite and on PostgreSQL, over real sockets; others start the
//! real binary.

// The suite is compiled once for each database, so that no test can forget one.
#![allow(clippy::duplicate_mod)]
// A test binary has no public, and what fails in it is to panic, in the harness as well as in the tests.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

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
