//! The commands that talk to a running server.
//!
//! * [`command`]: the commands. [`remote_command`]: what they have in common.
//! * [`target`]: finds the server and the credentials: flags, environment variables, profile.
//! * [`print`], [`rows`]: tables and JSON on standard output. [`new_secret`]: prints a new client secret once.
//! * [`explain`]: turns a refusal of the server into an error and a hint.

mod audit;
mod command;
pub(crate) mod confirm;
mod error;
mod exec;
mod explain;
mod introspect;
pub(crate) mod new_secret;
pub(crate) mod print;
mod profile;
mod profile_rotation;
mod remote_command;
mod revoke;
mod rows;
mod service_accounts;
mod target;
mod token;
mod token_cache;
mod user_directory;
mod values;

pub(crate) use audit::Command as AuditCommand;
pub(crate) use command::{Command, run};
