//! How a command fails: an exit code, an `error:` line and a `hint:` line on standard error.

use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
};

use crate::hints;

const FAILURE: u8 = 1;
const USAGE: u8 = 2;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    /// What failed and why, in one line. Empty: print nothing.
    pub(crate) error: String,
    /// What the user can do about it, in one line.
    pub(crate) hint: Option<String>,
    /// Further lines, for `--verbose`.
    pub(crate) details: Vec<String>,
}

impl Failure {
    /// Wrong usage or an invalid configuration: exit code 2.
    pub(crate) fn usage(error: impl Display) -> Self {
        Self {
            code: USAGE,
            ..Self::new(error)
        }
    }

    /// Any other failure: exit code 1.
    pub(crate) fn new(error: impl Display) -> Self {
        Self {
            code: FAILURE,
            error: error.to_string(),
            hint: None,
            details: Vec::new(),
        }
    }

    /// Adds the hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Standard output cannot be written. A closed pipe is not a failure: the reader has seen enough.
    pub(crate) fn output(error: io::Error) -> Self {
        let failure = Self::new(format!("cannot write to standard output: {error}"));
        if error.kind() != io::ErrorKind::BrokenPipe {
            return failure;
        }
        Self {
            code: 0,
            error: String::new(),
            ..failure
        }
    }

    /// A value cannot be written as JSON.
    pub(crate) fn json(error: serde_json::Error) -> Self {
        Self::new(format!("cannot write the result as JSON: {error}"))
    }

    /// Prints the failure to standard error and returns the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let mut out = io::stderr().lock();
        let mut print = |label: &str, text: &str| {
            // If standard error is closed, the exit code must do.
            let _ = writeln!(out, "{label}{}", text.replace('\n', " "));
        };
        if !self.error.is_empty() {
            print("error: ", &self.error);
        }
        if let Some(hint) = self.hint {
            print("hint: ", &hint);
        }
        for detail in self.details {
            print("  ", &detail);
        }
        ExitCode::from(self.code)
    }
}

/// The message is the whole error chain. The hint is that of the first error in the chain that has one.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        Self {
            hint: hints::of(&error),
            ..Self::new(format!("{error:#}"))
        }
    }
}
