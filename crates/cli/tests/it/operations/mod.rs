//! The real binary, run as an operator runs it.

mod audit_trail;
mod configuration;
mod durability;
mod first_start;
mod keys;
mod log;
mod master_key;
mod nodes;
mod organizations;
mod postgres;
mod secrecy;
mod slow_clients;
pub mod tls;
mod usage_at_exit;
