//! What all commands that talk to a server have in common.

use super::{
    error::CommandError,
    explain,
    target::{self, Target},
};
use crate::failure::Failure;

/// The arguments of a command that talks to a server: its own, and those that all of them have.
#[derive(clap::Args)]
pub(crate) struct Remote<A: clap::Args> {
    #[command(flatten)]
    arguments: A,

    /// Show the full error chain and the request ID
    #[arg(long, short)]
    verbose: bool,

    #[command(flatten)]
    target: target::Options,
}

/// What a command does.
pub(crate) trait Execute {
    async fn execute(self, target: &Target) -> Result<(), CommandError>;
}

impl<A: clap::Args + Execute> Remote<A> {
    /// Finds the server and the credentials, then executes the command.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let target = self.target.resolve()?;
        let executed = self.arguments.execute(&target).await;
        executed.map_err(|error| match error {
            CommandError::Server(error) => explain::failure(&error, &target, self.verbose),
            CommandError::Local(failure) => failure,
        })
    }
}
