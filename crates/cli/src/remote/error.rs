//! Why a command that talks to a server fails.

use crate::failure::Failure;

/// Why a command that talks to a server fails.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// The server refused, or the request failed.
    Server(prokura_client::Error),
    /// A failure on this machine.
    Local(Failure),
}

impl From<prokura_client::Error> for CommandError {
    fn from(error: prokura_client::Error) -> Self {
        Self::Server(error)
    }
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::Local(failure)
    }
}
