//! The commands for service accounts, one file each.

mod account;
mod cancel_rotation;
mod command;
mod create;
mod delete;
mod fields;
mod get;
mod list;
mod revoke_tokens;
mod rotate_secret;
mod secrets;
mod update;
mod usage;

pub(crate) use command::{Command, EXAMPLES};
