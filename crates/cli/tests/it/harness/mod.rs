//! What the tests stand on: a server in this process on a database of its own, and a client for it; the real binary; a
//! temporary PostgreSQL.

mod client;
mod jwt;
pub mod postgres;
pub mod process;
mod server;
mod watched;

pub use client::{Answer, Client, Credentials, Reply};
pub use jwt::{Forger, claims_of, encode, header_of, verify};
pub use server::{Database, NOON, Options, Prokura, jwt_resource, opaque_resource};
