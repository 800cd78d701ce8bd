//! `prokura organizations` and `prokura recover`: the organizations of an installation, for its operator.

mod command;
mod create;
mod delete;
mod disable;
mod enable;
mod list;
mod listed_organization;
mod new_administrator;
mod recover;
mod rename;

pub(crate) use command::{Command, EXAMPLES, run};
pub(crate) use recover::{
    Arguments as RecoverArguments, EXAMPLES as RECOVER_EXAMPLES, run as recover,
};
