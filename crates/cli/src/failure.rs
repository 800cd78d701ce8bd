//! How a command fails: an exit code, and what standard error is told.

use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
};

const FAILURE: u8 = 1;
const USAGE: u8 = 2;

/// What went wrong.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    /// One line, and what to do about it.
    pub(crate) message: String,
    /// Further lines, for those who want to know.
    pub(crate) details: Vec<String>,
}

impl Failure {
    /// Wrong usage, or a configuration that is refused.
    pub(crate) fn usage(error: impl Display) -> Self {
        Self {
            code: USAGE,
            message: error.to_string(),
            details: Vec::new(),
        }
    }

    /// Any other failure.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            code: FAILURE,
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// Standard output cannot be written to. A reader who has gone has seen what he wanted: nothing is said, and it is no
    /// failure.
    pub(crate) fn output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self {
                code: 0,
                message: String::new(),
                details: Vec::new(),
            };
        }
        Self::new(format!("cannot write to standard output: {error}"))
    }

    /// What was answered cannot be written as JSON.
    pub(crate) fn json(error: serde_json::Error) -> Self {
        Self::new(format!("cannot be written as JSON: {error}"))
    }

    /// Tells standard error. Where that is closed, the exit code has to do.
    pub(crate) fn tell(self) -> ExitCode {
        let mut out = io::stderr().lock();
        if self.message.is_empty() {
            return ExitCode::from(self.code);
        }
        let _ = writeln!(out, "prokura: {}", self.message.replace('\n', " "));
        for detail in self.details {
            let _ = writeln!(out, "  {}", detail.replace('\n', " "));
        }
        ExitCode::from(self.code)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(format!("{error:#}"))
    }
}
