//! `prokura introspect`.

use std::io;

use anyhow::Context as _;
use prokura_client::wire::Secret;

use super::{error::CommandError, print, remote_command::Execute, rows, target::Target};
use crate::failure::Failure;

/// The arguments of `prokura introspect`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    token: Token,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLES: &str = "\
Required scope: tokens:introspect. The exit code is 0 for an inactive token too.

Examples:
  prokura token | prokura introspect
  prokura introspect --output json < token.txt | jq .active";

/// The token argument.
#[derive(clap::Args)]
pub(crate) struct Token {
    /// Access token [default: read it from standard input, so that the process list does not show it]
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
}

impl Token {
    /// Reads the token.
    pub(crate) fn read(self) -> Result<Secret, Failure> {
        let text = match self.token.filter(|token| token != "-") {
            Some(text) => text,
            None => io::read_to_string(io::stdin()).context("cannot read standard input")?,
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(Failure::usage("standard input contains no token")
                .hint("pipe a token into the command, for example from `prokura token`"));
        }
        Ok(Secret::new(text))
    }
}

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let token = self.token.read()?;
        let response = target.client.introspect_token(token.expose()).await?;
        print::one(
            self.output.format(),
            &response,
            &rows::introspection(&response),
        )?;
        Ok(())
    }
}
