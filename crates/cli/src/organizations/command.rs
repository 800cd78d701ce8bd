//! The commands.

use super::{create, delete, disable, enable, list, rename};
use crate::{
    config::{Config, Options},
    failure::Failure,
};

/// The subcommands of `prokura organizations`. They use the database.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the organizations
    #[command(after_help = list::EXAMPLES)]
    List(list::Arguments),

    /// Create an organization with an administrator, and print its credentials once
    #[command(after_help = create::EXAMPLES)]
    Create(create::Arguments),

    /// Rename an organization
    #[command(after_help = rename::EXAMPLES)]
    Rename(rename::Arguments),

    /// Disable an organization: its accounts get no tokens, and its tokens stop working
    ///
    /// Nothing is deleted. The command ends when every node refuses the organization's secrets and tokens. APIs that verify
    /// JWTs offline accept them until they expire.
    #[command(after_help = disable::EXAMPLES)]
    Disable(disable::Arguments),

    /// Enable a disabled organization again
    ///
    /// Its secrets work again, and its tokens that have not expired.
    #[command(after_help = enable::EXAMPLES)]
    Enable(enable::Arguments),

    /// Delete an organization with its service accounts and its audit trail
    ///
    /// The command disables the organization, then deletes it in small steps beside running servers. If it is interrupted,
    /// run it again. This cannot be undone, and nothing of the organization remains.
    #[command(after_help = delete::EXAMPLES)]
    Delete(delete::Arguments),
}

pub(crate) const EXAMPLES: &str = "\
The commands use the database. Servers may be running, and follow every change at once. An organization is named by its
name or its ID. Every change is in the audit trail of the organization, with the actor `operator`.

Examples:
  prokura organizations list
  prokura organizations create Example
  prokura organizations disable Example
  prokura recover --organization Example";

impl Command {
    /// The options that select the configuration.
    pub(crate) fn options(&mut self) -> &mut Options {
        match self {
            Self::List(arguments) => &mut arguments.options,
            Self::Create(arguments) => &mut arguments.options,
            Self::Rename(arguments) => &mut arguments.options,
            Self::Disable(arguments) => &mut arguments.options,
            Self::Enable(arguments) => &mut arguments.options,
            Self::Delete(arguments) => &mut arguments.options,
        }
    }

    /// Whether the command cannot do without the master key.
    pub(crate) const fn needs_master_key(&self) -> bool {
        !matches!(self, Self::List(_))
    }
}

/// Runs a command.
pub(crate) async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::List(arguments) => list::run(config, &arguments).await,
        Command::Create(arguments) => create::run(config, arguments).await,
        Command::Rename(arguments) => rename::run(config, &arguments).await,
        Command::Disable(arguments) => disable::run(config, &arguments).await,
        Command::Enable(arguments) => enable::run(config, &arguments).await,
        Command::Delete(arguments) => delete::run(config, &arguments).await,
    }
}
