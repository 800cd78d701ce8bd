//! `prokura service-accounts`.

use super::{
    cancel_rotation, create, delete, get, list, revoke_tokens, rotate_secret, secrets, update,
    usage,
};
use crate::{failure::Failure, remote::remote_command::Remote};

/// What can be done with service accounts.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Create one, and show its secret this once
    Create(Remote<create::Arguments>),

    /// List them, oldest first
    List(Remote<list::Arguments>),

    /// Show one in every detail
    Get(Remote<get::Arguments>),

    /// Change one, disable or enable it
    Update(Remote<update::Arguments>),

    /// Give one a new secret, and end the old ones
    RotateSecret(Remote<rotate_secret::Arguments>),

    /// Take back a rotation whose grace has not ended
    CancelRotation(Remote<cancel_rotation::Arguments>),

    /// List, add and end the secrets of one
    #[command(subcommand, arg_required_else_help = false)]
    Secrets(secrets::Command),

    /// End every token issued to one so far
    RevokeTokens(Remote<revoke_tokens::Arguments>),

    /// Count the tokens that one got and was refused, day by day
    Usage(Remote<usage::Arguments>),

    /// Delete one, its secrets and all its tokens, for good
    Delete(Remote<delete::Arguments>),
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
