//! The store: everything that is persistent, on SQLite or PostgreSQL.
//!
//! * Each method of [`Store`] is one atomic step in the words of the domain. No transaction leaves this folder.
//! * Management methods take the organization, or a [`Target`] that names it. What belongs to another organization is absent for
//!   them.
//! * Absence is `None` or `false`. A [`StoreError`] says that storage failed, and which operation.
//! * The store invents nothing: it is given ids, instants and digests.
//!
//! `handle.rs` has the [`Store`] itself; the files beside it add its methods, one subject each. `database.rs` says what a driver
//! must be able to do; the drivers are in `sqlite/` and `postgres/`. `memory/` has the cache and the usage that is not written yet.

mod account_columns;
mod account_write;
mod audit_events;
mod client_with_secrets;
mod data_keys;
mod database;
mod error;
mod handle;
mod idempotent_requests;
mod installation;
mod memory;
mod migrations;
mod organizations;
mod postgres;
mod resources;
mod secrets;
mod service_accounts;
mod signing_keys;
mod sqlite;
mod target;
mod tokens;
mod usage;

pub use account_write::AccountChange;
pub use client_with_secrets::{ClientWithSecrets, Found};
pub use data_keys::StoredDataKeys;
pub use database::{Database, DatabaseError, MigrateError, Row, Statement, Step, Value, Written};
pub use error::StoreError;
pub use handle::Store;
pub use idempotent_requests::{IdempotentRequest, Once};
pub use installation::Organization;
pub use organizations::{ListedOrganization, OrganizationPart};
pub use postgres::{InvalidPostgresUrl, Postgres};
pub use resources::StoredResource;
pub use secrets::Rotation;
pub use service_accounts::ListPosition;
pub use signing_keys::SigningKeyChange;
pub use sqlite::{CommandWriteError, CommandWrites, OpenSqliteError, Sqlite, SqliteAccess};
pub use target::Target;
pub use tokens::TokenState;
