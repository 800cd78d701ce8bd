//! The commands that talk to a server.

use anyhow::Context as _;

use super::{
    audit, exec, introspect, profile, remote_command::Remote, revoke, service_accounts, token,
};
use crate::failure::Failure;

/// The commands that talk to a server.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Create, list, update, rotate and delete service accounts
    #[command(subcommand, after_help = service_accounts::EXAMPLES)]
    ServiceAccounts(service_accounts::Command),

    /// Print an access token
    Token(Remote<token::Arguments>),

    /// Show whether an access token is active, and its claims
    Introspect(Remote<introspect::Arguments>),

    /// Revoke an access token of your own service account
    Revoke(Remote<revoke::Arguments>),

    /// Run a program with a new access token in its environment
    ///
    /// The token is in the variable PROKURA_ACCESS_TOKEN and is not cached. The program replaces prokura, so its exit
    /// code is the exit code; 127 means that the program was not found, 126 that it could not be run. The program does
    /// not inherit PROKURA_CLIENT_SECRET.
    Exec(Remote<exec::Arguments>),

    /// Manage connection profiles: server URL, client ID and client secret
    #[command(subcommand, after_help = profile::EXAMPLES)]
    Profile(profile::Command),

    /// `prokura audit list` and `prokura audit export`.
    #[command(skip)]
    Audit(audit::Command),
}

/// Runs the command.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    runtime.block_on(async {
        match command {
            Command::ServiceAccounts(command) => command.run().await,
            Command::Token(command) => command.run().await,
            Command::Introspect(command) => command.run().await,
            Command::Revoke(command) => command.run().await,
            Command::Exec(command) => command.run().await,
            Command::Profile(command) => profile::run(command),
            Command::Audit(command) => command.run().await,
        }
    })
}
