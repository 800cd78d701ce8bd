//! The commands for the audit trail that talk to a server.

mod command;
mod export;
mod list;

pub(crate) use command::Command;
