//! The commands that call a running server: the real binary against the real server.

mod accounts;
mod errors;
mod generated;
mod lists;
mod messages;
mod new_secrets;
mod profiles;
mod terminal;
mod tls;
mod tokens;

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::harness::process::{Finished, Prokura, prokura};

/// A user with a home directory.
struct Person {
    home: TempDir,
}

impl Person {
    fn new() -> Self {
        Self {
            home: tempdir().unwrap(),
        }
    }

    /// A user who has imported the credentials of the first start.
    fn at(server: &Prokura) -> Self {
        let person = Self::new();
        let file = server.data("bootstrap.json");
        let add = ["profile", "add", "--from", file.to_str().unwrap()];
        person.run(add).succeeded();
        person
    }

    /// A `prokura` command with this home directory and no other environment.
    fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = prokura(self.home.path(), arguments);
        command.env("HOME", self.home.path());
        for name in [
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "NO_COLOR",
            "CLICOLOR_FORCE",
        ] {
            command.env_remove(name);
        }
        for name in [
            "http_proxy",
            "HTTP_PROXY",
            "https_proxy",
            "HTTPS_PROXY",
            "all_proxy",
            "ALL_PROXY",
        ] {
            command.env_remove(name);
        }
        command
    }

    fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Finished {
        Finished::of(self.command(arguments).output().unwrap())
    }

    /// Runs `prokura service-accounts …`, which must succeed.
    fn accounts<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let all = ["service-accounts"].into_iter().chain(arguments);
        self.run(all).succeeded()
    }

    /// The same with `--json`.
    fn accounts_json<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Value {
        let all = arguments.into_iter().chain(["--output", "json"]);
        serde_json::from_str(&self.accounts(all)).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

/// A server, and a user with all permissions there.
fn start() -> (TempDir, Prokura, Person) {
    let directory = tempdir().unwrap();
    let server = Prokura::serve(directory.path());
    let person = Person::at(&server);
    (directory, server, person)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The value in a line `name  value`.
#[track_caller]
fn value_of(text: &str, name: &str) -> String {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix("  "));
    value
        .unwrap_or_else(|| panic!("no {name:?} in {text}"))
        .trim()
        .to_owned()
}
