//! `prokura keys`: the signing keys of an installation.

mod command;
mod list;
mod listed_key;
mod revoke;
mod rotate;

pub(crate) use command::{Command, EXAMPLES, run};
