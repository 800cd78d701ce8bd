//! Asking before something is gone for good.

use std::io::{self, IsTerminal as _, Write as _};

use super::Trouble;
use crate::Failure;

/// The flag that answers in advance.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Options {
    /// Whether somebody has to be asked. Where nobody is there to ask, it is refused.
    pub(crate) fn must_ask(&self) -> Result<bool, Failure> {
        if self.yes {
            return Ok(false);
        }
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            return Ok(true);
        }
        Err(Failure::usage(
            "this cannot be undone, and there is no terminal to ask on: say --yes",
        ))
    }
}

/// Asks; whatever is not yes is no.
pub(crate) fn ask(question: &str) -> Result<(), Trouble> {
    let mut terminal = io::stderr();
    // A question that cannot be seen is not answered with yes.
    let _ = write!(terminal, "{question} [y/N] ");
    let _ = terminal.flush();
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    let is_yes = matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
    if read.is_ok() && is_yes {
        return Ok(());
    }
    Err(Failure::new("nothing was done").into())
}
