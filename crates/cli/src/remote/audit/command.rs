//! `prokura audit list` and `prokura audit export`.

use super::{export, list};
use crate::{failure::Failure, remote::remote_command::Remote};

/// The subcommands of `prokura audit` that talk to a server.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List audit events, oldest first
    List(Remote<list::Arguments>),

    /// Export the whole audit trail as NDJSON, for `prokura audit verify --file`
    Export(Remote<export::Arguments>),
}

impl Command {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run().await,
            Self::Export(command) => command.run().await,
        }
    }
}
