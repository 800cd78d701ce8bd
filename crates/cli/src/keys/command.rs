//! The commands.

use super::{list, revoke, rewrap, rotate};
use crate::{
    config::{Config, Options},
    failure::Failure,
};

/// The subcommands of `prokura keys`. They use the database.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the signing keys and their states
    #[command(after_help = list::EXAMPLES)]
    List(list::Arguments),

    /// Let the next signing key take over before its time
    ///
    /// Signing keys rotate by themselves: see rotation_days in the configuration. This command publishes the next key now.
    /// It signs a day later, when every API that caches the published keys knows it.
    #[command(after_help = rotate::EXAMPLES)]
    Rotate(rotate::Arguments),

    /// Revoke a signing key that has leaked
    ///
    /// Every node stops to publish the key, to sign with it and to accept its tokens before the command ends. If it was the
    /// key that signs, another one takes its place at once. APIs that verify tokens offline accept the key until they load the
    /// published keys again, which takes five minutes at most if they obey Cache-Control.
    #[command(after_help = revoke::EXAMPLES)]
    Revoke(revoke::Arguments),

    /// Change the master key
    ///
    /// Seals the keys that protect the data with a new master key. The data itself does not change: every secret, token and
    /// cursor stays valid. Servers that run need no restart.
    #[command(after_help = rewrap::EXAMPLES)]
    Rewrap(rewrap::Arguments),
}

pub(crate) const EXAMPLES: &str = "\
The commands use the database. Servers may be running, and follow every change at once.

Examples:
  prokura keys list
  prokura keys rotate --algorithm ES256
  prokura keys revoke KID
  prokura keys rewrap --new-master-key-file new-master.key";

impl Command {
    /// The options that select the configuration.
    pub(crate) fn options(&mut self) -> &mut Options {
        match self {
            Self::List(arguments) => &mut arguments.options,
            Self::Rotate(arguments) => &mut arguments.options,
            Self::Revoke(arguments) => &mut arguments.options,
            Self::Rewrap(arguments) => &mut arguments.options,
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
        Command::Rotate(arguments) => rotate::run(config, &arguments).await,
        Command::Revoke(arguments) => revoke::run(config, &arguments).await,
        Command::Rewrap(arguments) => rewrap::run(config, &arguments).await,
    }
}
