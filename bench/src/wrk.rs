//! Load from `wrk`: keep-alive connections, each with one request under way.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

use crate::{
    process::{self, Cores},
    requests::Requests,
};

/// What one run of a load saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Answers.
    pub(crate) requests: u64,
    /// How long it took, in seconds.
    pub(crate) seconds: f64,
    /// How long half of the answers took at most, in milliseconds.
    pub(crate) p50_ms: f64,
    /// How long 99 % took at most.
    pub(crate) p99_ms: f64,
    /// How long 99.9 % took at most.
    pub(crate) p999_ms: f64,
}

/// A load, written down.
pub(crate) struct Load {
    script: PathBuf,
    requests: PathBuf,
    count: usize,
}

impl Load {
    /// Writes `requests` and the script down in `directory`, under `name`.
    pub(crate) fn prepare(
        directory: &Path,
        name: &str,
        requests: &Requests,
    ) -> anyhow::Result<Self> {
        let script = directory.join("requests.lua");
        fs::write(&script, include_str!("requests.lua"))?;
        let path = directory.join(format!("{name}.requests"));
        requests.write(&path)?;
        Ok(Self {
            script,
            requests: path,
            count: requests.values.len(),
        })
    }

    /// How many different requests there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Runs it against `address`, in the same order every time, beginning behind the first `passed_over` requests. Every
    /// answer must be a success.
    pub(crate) fn run(
        &self,
        cores: &Cores,
        address: &str,
        connections: u32,
        seconds: u32,
        passed_over: usize,
    ) -> anyhow::Result<Seen> {
        let mut command = process::pinned(Path::new("wrk"), &[cores.load]);
        command
            .args(["--threads", "1", "--connections", &connections.to_string()])
            .args(["--duration", &format!("{seconds}s"), "--timeout", "10s"])
            .arg("--script")
            .arg(&self.script)
            .arg(format!("http://{address}/"))
            .arg("--")
            .arg(&self.requests)
            .arg(passed_over.to_string());
        let printed = process::run(command)?;
        let numbers = printed
            .lines()
            .find_map(|line| line.strip_prefix("result "))
            .context("wrk printed no result")?
            .split(' ')
            .map(str::parse::<u64>)
            .collect::<Result<Vec<_>, _>>()?;
        let [requests, micros, p50, p99, p999, refused, broken] = *numbers else {
            anyhow::bail!("wrk printed another result than it was told to");
        };
        ensure!(requests > 0, "wrk got no answer from {address}");
        ensure!(
            refused == 0 && broken == 0,
            "of {requests} requests {refused} were refused and {broken} connections broke"
        );
        Ok(Seen {
            requests,
            seconds: micros as f64 / 1e6,
            p50_ms: p50 as f64 / 1e3,
            p99_ms: p99 as f64 / 1e3,
            p999_ms: p999 as f64 / 1e3,
        })
    }
}
