//! `prokura audit list` and `export`.

mod export;
mod list;

use super::Asking;
use crate::Failure;

/// What can be asked of the server's audit trail.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List what happened, oldest first
    List(Asking<list::Arguments>),

    /// Write the whole trail as NDJSON, for `prokura audit verify --file`
    Export(Asking<export::Arguments>),
}

impl Command {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run().await,
            Self::Export(command) => command.run().await,
        }
    }
}
