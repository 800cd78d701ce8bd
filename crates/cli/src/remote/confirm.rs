//! Asks for confirmation before something is deleted.

use std::io::{self, IsTerminal as _, Write as _};

use crate::failure::Failure;

/// The confirmation flag.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
}

impl Options {
    /// Whether to ask. An error if there is no terminal to ask on.
    pub(crate) fn must_ask(&self) -> Result<bool, Failure> {
        if self.yes {
            return Ok(false);
        }
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            return Ok(true);
        }
        Err(
            Failure::usage("cannot ask for confirmation: there is no terminal")
                .hint("confirm with --yes; this cannot be undone"),
        )
    }
}

/// Asks. Any answer except `y` or `yes` is an error.
pub(crate) fn ask(question: &str) -> Result<(), Failure> {
    let mut terminal = io::stderr();
    // If the question cannot be written, nobody answers it with yes.
    let _ = write!(terminal, "{question} [y/N] ");
    let _ = terminal.flush();
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    let is_yes = matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
    if read.is_ok() && is_yes {
        return Ok(());
    }
    Err(Failure::new("cancelled; nothing was changed"))
}
