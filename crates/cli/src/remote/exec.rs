//! `prokura exec`.

use std::{ffi::OsString, io, os::unix::process::CommandExt as _, process::Command};

use super::{
    Ask, Trouble,
    target::Target,
    token::{self, VARIABLE},
};
use crate::Failure;

/// What a shell exits with when there is no such command, and when it cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// What `prokura exec` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: token::Options,

    /// The variable that holds the token
    #[arg(long, value_name = "NAME", default_value = VARIABLE, value_parser = variable)]
    variable: String,

    /// The command, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const EXAMPLE: &str = "\
Examples:
  prokura exec -- ./deploy.sh
  prokura exec -- sh -c 'curl -H \"Authorization: Bearer $PROKURA_ACCESS_TOKEN\" \"$ORDERS_URL\"'";

fn variable(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.contains(['=', '\0']) {
        return Err("it must be the name of an environment variable");
    }
    Ok(text.to_owned())
}

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        let source = self.options.source(target).build()?;
        let token = source.token().await?;
        let mut words = self.command.into_iter();
        let program = words.next().unwrap_or_default();
        let error = Command::new(&program)
            .args(words)
            .env_remove("PROKURA_CLIENT_SECRET")
            .env(self.variable, token.expose())
            // It returns only if it fails.
            .exec();
        let mut failure = Failure::new(format!("cannot run {}: {error}", program.display()));
        failure.code = match error.kind() {
            io::ErrorKind::NotFound => NOT_FOUND,
            _ => NOT_RUN,
        };
        Err(failure.into())
    }
}
