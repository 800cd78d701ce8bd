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

/// What can be done with service accounts.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Create one, and show its secret this once
    Create(Asking<create::Arguments>),

    /// List them, oldest first
    List(Asking<list::Arguments>),

    /// Show one in every detail
    Get(Asking<get::Arguments>),

    /// Change one, disable or enable it
    Update(Asking<update::Arguments>),

    /// Give one a new secret, and end the old ones
    RotateSecret(Asking<rotate_secret::Arguments>),

    /// Take back a rotation whose grace has not ended
    CancelRotation(Asking<cancel_rotation::Arguments>),

    /// List, add and end the secrets of one
    #[command(subcommand, arg_required_else_help = false)]
    Secrets(secrets::Command),

    /// End every token issued to one so far
    RevokeTokens(Asking<revoke_tokens::Arguments>),

    /// Count the tokens that one got and was refused, day by day
    Usage(Asking<usage::Arguments>),

    /// Delete one, its secrets and all its tokens, for good
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

/// The service account that a command is about.
#[derive(clap::Args)]
pub(crate) struct Account {
    /// Its id, a UUID; its client id will do
    #[arg(value_name = "ID", value_parser = values::account_id)]
    pub(crate) id: String,
}
