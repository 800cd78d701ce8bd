//! `prokura service-accounts`.

use super::{
    cancel_rotation, create, delete, get, list, revoke_tokens, rotate_secret, secrets, update,
    usage,
};
use crate::{failure::Failure, remote::remote_command::Remote};

/// The subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Create a service account, and print its secret once
    Create(Remote<create::Arguments>),

    /// List service accounts, oldest first
    List(Remote<list::Arguments>),

    /// Show a service account
    Get(Remote<get::Arguments>),

    /// Update, disable or enable a service account
    Update(Remote<update::Arguments>),

    /// Replace the secrets of a service account by a new one
    RotateSecret(Remote<rotate_secret::Arguments>),

    /// Cancel a secret rotation during its grace period
    CancelRotation(Remote<cancel_rotation::Arguments>),

    /// List, add and delete the secrets of a service account
    #[command(subcommand, after_help = secrets::EXAMPLES)]
    Secrets(secrets::Command),

    /// Revoke all access tokens of a service account
    RevokeTokens(Remote<revoke_tokens::Arguments>),

    /// Show how many tokens were issued and refused to a service account per day
    Usage(Remote<usage::Arguments>),

    /// Delete a service account, its secrets and its tokens
    Delete(Remote<delete::Arguments>),
}

/// The examples of `prokura service-accounts --help`.
pub(crate) const EXAMPLES: &str = "\
Required scopes: management:service-accounts:read to list and show, management:service-accounts:write to change.

Examples:
  prokura service-accounts create \"CI Pipeline\" --scope orders:read --owner \"Platform team\" --label team:platform
  prokura service-accounts list --unused-for-days 90
  prokura service-accounts rotate-secret ID --grace 24h
  prokura service-accounts update ID --disable";

impl Command {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run().await,
            Self::List(command) => command.run().await,
            Self::Get(command) => command.run().await,
            Self::Update(command) => command.run().await,
            Self::RotateSecret(command) => command.run().await,
            Self::CancelRotation(command) => command.run().await,
            Self::Secrets(command) => command.run().await,
            Self::RevokeTokens(command) => command.run().await,
            Self::Usage(command) => command.run().await,
            Self::Delete(command) => command.run().await,
        }
    }
}
