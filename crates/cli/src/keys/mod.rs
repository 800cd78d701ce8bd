//! `prokura keys`: the signing keys and the master key of an installation.

mod command;
mod list;
mod listed_key;
mod revoke;
mod rewrap;
mod rotate;

pub(crate) use command::{Command, EXAMPLES, run};
