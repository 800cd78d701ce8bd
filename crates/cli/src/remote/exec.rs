//! `prokura exec`.

use std::{ffi::OsString, io, os::unix::process::CommandExt as _, process::Command};

use super::{
    error::CommandError,
    remote_command::Execute,
    target::Target,
    token::{self, VARIABLE},
};
use crate::failure::Failure;

/// The exit codes of a shell for a program that was not found, and for one that could not be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// The arguments of `prokura exec`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: token::Options,

    /// Name of the environment variable for the token
    #[arg(long, value_name = "NAME", default_value = VARIABLE, value_parser = variable)]
    variable: String,

    /// Program to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  prokura exec -- ./deploy.sh
  prokura exec -- sh -c 'curl -H \"Authorization: Bearer $PROKURA_ACCESS_TOKEN\" \"$ORDERS_URL\"'";

fn variable(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.contains(['=', '\0']) {
        return Err("expected the name of an environment variable");
    }
    Ok(text.to_owned())
}

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let source = self.options.source(target).build()?;
        let token = source.token().await?;
        let mut words = self.command.into_iter();
        let program = words.next().unwrap_or_default();
        let error = Command::new(&program)
            .args(words)
            .env_remove("PROKURA_CLIENT_SECRET")
            .env(self.variable, token.expose())
            // Only returns on failure.
            .exec();
        let mut failure = Failure::new(format!("cannot run {}: {error}", program.display()));
        failure.code = match error.kind() {
            io::ErrorKind::NotFound => NOT_FOUND,
            _ => NOT_RUN,
        };
        Err(failure.into())
    }
}
