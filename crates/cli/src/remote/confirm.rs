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
    let answer = read(&format!("{question} [y/N] "))?;
    if matches!(answer.to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Failure::new("cancelled; nothing was changed"))
}

/// Asks for a line of text. The end of the input is an error.
pub(crate) fn read(question: &str) -> Result<String, Failure> {
    let mut terminal = io::stderr();
    // If the question cannot be written, nobody answers it with yes.
    let _ = write!(terminal, "{question}");
    let _ = terminal.flush();
    let mut answer = String::new();
    match io::stdin().read_line(&mut answer) {
        Ok(length) if length > 0 => Ok(answer.trim().to_owned()),
        _ => Err(Failure::new("cancelled; nothing was changed")),
    }
}
