//! The report of a run: when, on what machine, with which versions, and everything that was measured.

use std::{collections::BTreeMap, fs, iter, path::Path, process::Command};

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::{
    figures::{Fact, Goal, PeerRow, Row},
    process::{self, Cores},
};

/// Everything that a run measured.
#[derive(Serialize)]
pub(crate) struct Report {
    /// The day, as `2026-12-01`.
    pub(crate) date: String,
    /// The commit of the source tree.
    pub(crate) commit: String,
    /// The command line.
    pub(crate) command: String,
    /// Processor, memory and kernel.
    pub(crate) machine: String,
    /// The core of the server and that of the load.
    pub(crate) cores: [usize; 2],
    /// The versions of the programs involved.
    pub(crate) versions: BTreeMap<&'static str, String>,
    /// The goals, and whether they were reached.
    pub(crate) goals: Vec<Goal>,
    /// One row for each kind of request and database.
    pub(crate) rows: Vec<Row>,
    /// The same requests on other products.
    pub(crate) peers: Vec<PeerRow>,
    /// The products that could not be measured, each with the reason.
    pub(crate) absent_peers: Vec<String>,
    /// Further measured values.
    pub(crate) facts: Vec<Fact>,
    /// The requests that became too slow.
    pub(crate) beyond_bounds: Vec<String>,
}

impl Report {
    /// An empty report of a run that begins now.
    pub(crate) fn new(prokura: &Path, cores: &Cores) -> anyhow::Result<Self> {
        let said = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments);
            process::run(command).map(|text| text.trim().to_owned())
        };
        let cpu = fs::read_to_string("/proc/cpuinfo")?;
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown processor", |(_, model)| model);
        let memory = fs::read_to_string("/proc/meminfo")?;
        let memory_kib: u64 = memory
            .split_whitespace()
            .nth(1)
            .and_then(|kib| kib.parse().ok())
            .context("/proc/meminfo has no total memory")?;
        let kernel = said("uname", &["-sr"])?;
        let versions = BTreeMap::from([
            ("Prokura", said(&prokura.to_string_lossy(), &["--version"])?),
            ("Rust", said("rustc", &["--version"])?),
            ("SQLite", rusqlite::version().to_owned()),
            ("wrk", wrk_version()),
        ]);
        Ok(Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            commit: said("git", &["describe", "--always", "--dirty"])
                .unwrap_or_else(|_| "unknown".to_owned()),
            command: command(),
            machine: format!(
                "{} of {model}, {} GiB, {kernel}",
                counted(cores.all.len(), "core"),
                memory_kib >> 20
            ),
            cores: [cores.server, cores.load],
            versions,
            goals: Vec::new(),
            rows: Vec::new(),
            peers: Vec::new(),
            absent_peers: Vec::new(),
            facts: Vec::new(),
            beyond_bounds: Vec::new(),
        })
    }

    /// Adds the figures of another product, or the reason why there are none.
    pub(crate) fn add_peer(&mut self, peer: &str, rows: anyhow::Result<Vec<PeerRow>>) {
        match rows {
            Ok(rows) => self.peers.extend(rows),
            Err(error) => self.absent_peers.push(format!("{peer}: {error:#}")),
        }
    }

    /// Fails if a request became too slow.
    pub(crate) fn fail_beyond_bounds(&self) -> anyhow::Result<()> {
        ensure!(
            self.beyond_bounds.is_empty(),
            "{}",
            self.beyond_bounds.join("; ")
        );
        Ok(())
    }
}

/// The command line of this run, as a person would type it.
fn command() -> String {
    let arguments = std::env::args().skip(2).map(|argument| {
        if argument.contains(' ') {
            format!("'{argument}'")
        } else {
            argument
        }
    });
    iter::once("scripts/bench".to_owned())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The version of `wrk`, which prints it and exits with 1.
fn wrk_version() -> String {
    let output = Command::new("wrk").arg("--version").output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = said.unwrap_or_default();
    let version = version.split_whitespace().nth(1).unwrap_or("unknown");
    version.to_owned()
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
