//! What the tests are built from: a server in this process with its own database, a client, the real binary, and a
//! temporary PostgreSQL.

mod accounts;
mod client;
mod credentials;
mod database;
mod jwt;
mod older_database;
mod operations;
pub mod postgres;
pub mod process;
mod reply;
mod server;
mod watched;

pub use accounts::NO_ACCOUNT;
pub use client::Client;
pub use credentials::Credentials;
pub use jwt::{Forger, claims_of, encode, header_of, verify};
pub use older_database::OlderDatabase;
pub use operations::{
    DOCUMENT, every_operation, managed_operations, operation, operations_on_an_account,
};
pub use reply::{Answer, Reply};
pub use server::{Database, NOON, Options, Prokura, jwt_resource, opaque_resource};
