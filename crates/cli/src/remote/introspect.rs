//! `prokura introspect`.

use std::io;

use anyhow::Context as _;
use prokura_client::wire::Secret;

use super::{Ask, Trouble, print, rows, target::Target};
use crate::Failure;

/// What `prokura introspect` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    token: Token,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLE: &str = "\
It needs the scope tokens:introspect. A token that does not live is no failure: it is not active.

Example: prokura token | prokura introspect";

/// The token that a command is about.
#[derive(clap::Args)]
pub(crate) struct Token {
    /// The token; without it, or with -, it is read from standard input, where the list of processes does not show it
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
}

impl Token {
    /// The token in clear.
    pub(crate) fn read(self) -> Result<Secret, Failure> {
        let text = match self.token.filter(|token| token != "-") {
            Some(text) => text,
            None => io::read_to_string(io::stdin()).context("cannot read standard input")?,
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(Failure::usage("there is no token in standard input"));
        }
        Ok(Secret::new(text))
    }
}

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        let token = self.token.read()?;
        let said = target.client.introspect_token(token.expose()).await?;
        print::one(self.output.format(), &said, &rows::introspection(&said))?;
        Ok(())
    }
}
