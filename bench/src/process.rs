//! Processes under measurement: each on its core, accounted by the operating system, gone with its guard.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use rustix::{
    process::{Pid, Signal, kill_process},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// Which core does what. Where there is only one, it does everything, and the figures say little.
#[derive(Clone, Debug)]
pub(crate) struct Cores {
    /// The server's.
    pub(crate) server: usize,
    /// The load's, and this program's.
    pub(crate) load: usize,
    /// All that this program may use.
    pub(crate) all: Vec<usize>,
}

impl Cores {
    /// Shares out the cores that this program may use, and moves it to the load's.
    pub(crate) fn share_out() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None).context("cannot tell which cores may be used")?;
        let all: Vec<usize> = (0..CpuSet::MAX_CPU)
            .filter(|&core| allowed.is_set(core))
            .collect();
        let (Some(&server), Some(&load)) = (all.first(), all.last()) else {
            bail!("there is no core to run on");
        };
        let mut own = CpuSet::new();
        own.set(load);
        sched_setaffinity(None, &own).context("cannot move to a core")?;
        Ok(Self { server, load, all })
    }
}

/// A command that runs on `cores` alone and is killed by the kernel if this program dies.
pub(crate) fn pinned(program: &Path, cores: &[usize]) -> Command {
    let list = cores.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut command = Command::new("taskset");
    command
        .args(["--cpu-list", &list.join(",")])
        .args(["setpriv", "--pdeathsig", "KILL", "--"])
        .arg(program)
        .stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PROKURA_") {
            command.env_remove(name);
        }
    }
    command
}

/// A running server. It is ended when dropped.
pub(crate) struct Server {
    child: Child,
    /// Kept open: a server may print more.
    _stdout: Option<BufReader<ChildStdout>>,
    /// Where it listens.
    pub(crate) address: String,
}

/// What the operating system says of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accounts {
    /// The processor time it took since its start, in its own code and in the kernel on its behalf.
    pub(crate) cpu: Duration,
    /// Its memory that is resident now, in bytes.
    pub(crate) resident_bytes: u64,
    /// The most that ever was.
    pub(crate) peak_bytes: u64,
}

impl Server {
    /// Starts a server and waits for the line on standard output that ends with the URL it serves on. Its log goes to
    /// `log`, as in production: to a file.
    pub(crate) fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let stdout = child.stdout.take().context("a pipe was asked for")?;
        let mut stdout = BufReader::new(stdout);
        let mut server = Self {
            child,
            _stdout: None,
            address: String::new(),
        };
        loop {
            let mut line = String::new();
            if stdout.read_line(&mut line)? == 0 {
                let said = fs::read_to_string(log).unwrap_or_default();
                bail!("{command:?} ended before it served: {said}");
            }
            if let Some((_, url)) = line.trim_end().split_once(" is serving on ") {
                let address = url.split_once("://").map_or(url, |(_, address)| address);
                server.address = address.to_owned();
                server._stdout = Some(stdout);
                return Ok(server);
            }
        }
    }

    /// Starts a server that says nothing when it serves; it will, on `address`.
    pub(crate) fn start_silent(
        mut command: Command,
        log: &Path,
        address: &str,
    ) -> anyhow::Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self {
            child,
            _stdout: None,
            address: address.to_owned(),
        })
    }

    /// What the operating system says of it now.
    pub(crate) fn accounts(&self) -> anyhow::Result<Accounts> {
        let read = |name: &str| {
            let path = format!("/proc/{}/{name}", self.child.id());
            fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
        };
        // proc_pid_stat(5): behind the name in parentheses come the fields 3 and up; 14 and 15 are utime and stime.
        let stat = read("stat")?;
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<u64>)
            .sum::<Result<u64, _>>()
            .context("cannot read /proc/PID/stat")?;
        let status = read("status")?;
        let bytes = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_suffix(" kB"))
                .and_then(|kib| kib.trim().parse::<u64>().ok())
                .map(|kib| kib * 1024)
                .with_context(|| format!("/proc/PID/status has no {name}"))
        };
        let seconds = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
        Ok(Accounts {
            cpu: Duration::from_secs_f64(seconds),
            resident_bytes: bytes("VmRSS:")?,
            peak_bytes: bytes("VmHWM:")?,
        })
    }

    /// Lets it do nothing, not even what it does by itself, until it is told to [go on](Self::go_on).
    pub(crate) fn halt(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Asks it to end, as a supervisor would, and waits until it has.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        self.child.wait().context("cannot wait for a server")?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = i32::try_from(self.child.id())?;
        let id = Pid::from_raw(id).context("a server has no process")?;
        kill_process(id, signal).context("cannot send a server a signal")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end. Its standard output, if it succeeded.
pub(crate) fn run(mut command: Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed: {said}");
    }
    String::from_utf8(output.stdout).context("it printed no text")
}
