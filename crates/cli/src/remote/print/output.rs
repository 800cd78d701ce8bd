//! Writes to standard output and standard error.

use std::io::{self, Write as _};

use crate::failure::Failure;

/// Prints a sentence to standard output.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    write(&format!("{text}\n"))
}

/// Prints a message that is not the result, to standard error.
pub(crate) fn note(text: &str) {
    // If standard error is closed, the message is lost.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes to standard output.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    write_to(io::stdout().lock(), text)
}

/// Writes styled text to standard output. Without a terminal, or with `NO_COLOR`, the styles are removed.
pub(super) fn write_styled(text: &str) -> Result<(), Failure> {
    write_to(anstream::stdout().lock(), text)
}

fn write_to(mut out: impl io::Write, text: &str) -> Result<(), Failure> {
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::output)
}
