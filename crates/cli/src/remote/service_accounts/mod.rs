//! `prokura service-accounts`.

mod cancel_rotation;
mod create;
mod delete;
mod fields;
mod get;
mod list;
mod revoke_tokens;
mod rotate_secret;
mod secrets;
mod update;
mod usage;

use super::{Asking, values};
use crate::Failure;

/// The commands for service accounts.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Create a service account and show its secret once
    Create(Asking<create::Arguments>),

    /// List service accounts, oldest first
    List(Asking<list::Arguments>),

    /// Show a service account
    Get(Asking<get::Arguments>),

    /// Change, disable or enable a service account
    Update(Asking<update::Arguments>),

    /// Replace the secret of a service account
    RotateSecret(Asking<rotate_secret::Arguments>),

    /// Cancel a rotation whose grace period has not ended
    CancelRotation(Asking<cancel_rotation::Arguments>),

    /// List, add and delete the secrets of a service account
    #[command(subcommand, arg_required_else_help = false)]
    Secrets(secrets::Command),

    /// Revoke every token issued to a service account so far
    RevokeTokens(Asking<revoke_tokens::Arguments>),

    /// Count the tokens issued and refused to a service account, by day
    Usage(Asking<usage::Arguments>),

    /// Delete a service account, its secrets and its tokens permanently
    Delete(Asking<delete::Arguments>),
}

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

/// The service account that a command applies to.
#[derive(clap::Args)]
pub(crate) struct Account {
    /// Id of the service account, a UUID, or its client id
    #[arg(value_name = "ID", value_parser = values::account_id)]
    pub(crate) id: String,
}
