//! Connection profiles: server URL, client ID and client secret by name, in a file of the user.

mod add;
mod command;
mod store;

pub(crate) use command::{Command, EXAMPLES, run};
pub(crate) use store::Profiles;
