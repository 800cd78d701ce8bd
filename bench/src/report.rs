//! What came out: a table for people, JSON for programs, a plot.

use std::{
    collections::BTreeMap, fmt::Write as _, fs, io::Write as _, iter, path::Path, process::Command,
};

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;

use crate::{
    plot,
    process::{self, Cores},
    seed::Number,
};

/// All that a run found.
#[derive(Serialize)]
pub(crate) struct Report {
    /// When.
    date: String,
    /// What was measured.
    commit: String,
    /// How.
    command: String,
    /// On what.
    machine: String,
    /// The cores of server and load.
    cores: [usize; 2],
    /// With what.
    pub(crate) versions: BTreeMap<&'static str, String>,
    /// What is to be reached, and what was.
    pub(crate) goals: Vec<Goal>,
    /// The work, piece by piece.
    pub(crate) rows: Vec<Row>,
    /// The same work done by others.
    pub(crate) peers: Vec<PeerRow>,
    /// Who is not there, and why.
    absent_peers: Vec<String>,
    /// What else was seen.
    pub(crate) facts: Vec<Fact>,
    /// What has become slow.
    pub(crate) beyond_bounds: Vec<String>,
}

/// What a server did under one load: medians of its repetitions.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Figures {
    /// Answers per second.
    pub(crate) requests_per_second: f64,
    /// The processor time of the server, in microseconds per request.
    pub(crate) cpu_us: f64,
    /// The share of one core that the server used.
    pub(crate) busy: f64,
    /// How long half of the answers took at most, in milliseconds.
    pub(crate) p50_ms: f64,
    /// How long 99 % took at most.
    pub(crate) p99_ms: f64,
    /// How long 99.9 % took at most.
    pub(crate) p999_ms: f64,
}

impl Figures {
    /// How much of what `limit` does this does. Requests per second tell if both had the core to themselves and used it up;
    /// where the load or the machine held one of them back, the processor time per request does.
    pub(crate) fn share_of(&self, limit: &Self) -> f64 {
        const USED_UP: f64 = 0.9;
        if self.busy >= USED_UP && limit.busy >= USED_UP {
            self.requests_per_second / limit.requests_per_second
        } else {
            limit.cpu_us / self.cpu_us
        }
    }
}

/// One piece of work on one database.
#[derive(Serialize)]
pub(crate) struct Row {
    /// The work.
    pub(crate) work: &'static str,
    /// The database.
    pub(crate) database: &'static str,
    /// How many accounts are in it.
    pub(crate) accounts: Number,
    /// Connections, each with one request under way.
    pub(crate) connections: u32,
    /// What Prokura did.
    pub(crate) prokura: Figures,
    /// What the floor signed with.
    pub(crate) floor_signature: &'static str,
    /// What the floor did with answers of the same bytes.
    pub(crate) floor: Figures,
}

impl Row {
    /// What to say if a request takes more than `bound` times the floor's processor time. `None`: it does not.
    pub(crate) fn beyond(&self, bound: Option<f64>) -> Option<String> {
        let times = self.prokura.cpu_us / self.floor.cpu_us;
        bound.filter(|bound| times > *bound).map(|bound| {
            format!(
                "`{}` takes {:.1} µs of processor time per request, {times:.1} times the floor's {:.1}; more than {bound} \
                 times is no noise: something on its way has become slow",
                self.work, self.prokura.cpu_us, self.floor.cpu_us,
            )
        })
    }
}

/// The same work done by another server.
#[derive(Serialize)]
pub(crate) struct PeerRow {
    /// Who, and which version.
    pub(crate) peer: &'static str,
    /// The work.
    pub(crate) work: &'static str,
    /// What it did.
    pub(crate) figures: Figures,
}

/// Something else that was seen.
#[derive(Serialize)]
pub(crate) struct Fact {
    /// Of what.
    pub(crate) what: String,
    /// How much.
    pub(crate) value: f64,
    /// Of which unit.
    pub(crate) unit: &'static str,
}

/// What is to be reached.
#[derive(Serialize)]
pub(crate) struct Goal {
    what: String,
    /// Against what, or why it was not measured.
    against: String,
    unit: &'static str,
    to_reach: Option<f64>,
    measured: Option<f64>,
    reached: Option<bool>,
}

impl Goal {
    /// At least this share of something.
    pub(crate) fn share(what: &str, against: String, to_reach: f64, measured: f64) -> Self {
        // Where the machine stood still there is nothing to divide by.
        let measured = Some(measured).filter(|share| share.is_finite());
        Self {
            what: what.to_owned(),
            against,
            unit: "",
            to_reach: Some(to_reach),
            measured,
            reached: measured.map(|measured| measured >= to_reach),
        }
    }

    /// At most so much.
    pub(crate) fn at_most(what: &str, unit: &'static str, to_reach: f64, measured: f64) -> Self {
        Self {
            what: what.to_owned(),
            against: String::new(),
            unit,
            to_reach: Some(to_reach),
            measured: Some(measured),
            reached: Some(measured <= to_reach),
        }
    }

    /// What this machine or this build cannot show.
    pub(crate) fn unmeasured(what: &str, reason: &str) -> Self {
        Self {
            what: what.to_owned(),
            against: reason.to_owned(),
            unit: "",
            to_reach: None,
            measured: None,
            reached: None,
        }
    }
}

impl Report {
    /// A report of a run that begins now.
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
            .context("/proc/meminfo says nothing")?;
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

    /// Adds what a peer did, or why it is not there.
    pub(crate) fn add_peer(&mut self, peer: &str, rows: anyhow::Result<Vec<PeerRow>>) {
        match rows {
            Ok(rows) => self.peers.extend(rows),
            Err(error) => self.absent_peers.push(format!("{peer}: {error:#}")),
        }
    }

    /// Writes `report.md`, `report.json` and `plot.svg` into `directory`.
    pub(crate) fn write(&self, directory: &Path) -> anyhow::Result<()> {
        fs::write(directory.join("report.md"), self.markdown()?)?;
        fs::write(directory.join("report.json"), self.json()?)?;
        fs::write(directory.join("plot.svg"), plot::svg(self)?)?;
        Ok(())
    }

    /// Writes the tables into `PERFORMANCE.md` in `directory`, between its two marks, and JSON and plot beside it.
    pub(crate) fn publish(&self, directory: &Path) -> anyhow::Result<()> {
        const BEGIN: &str = "<!-- Written by scripts/bench --publish: begin -->\n";
        const END: &str = "<!-- Written by scripts/bench --publish: end -->\n";
        let page = directory.join("PERFORMANCE.md");
        let text = fs::read_to_string(&page)?;
        let Some((before, (_, after))) = text
            .split_once(BEGIN)
            .and_then(|(before, rest)| Some((before, rest.split_once(END)?)))
        else {
            bail!("{} lacks the line {BEGIN:?} or {END:?}", page.display());
        };
        let tables = self.markdown()?;
        fs::write(
            &page,
            format!("{before}{BEGIN}\n{}\n\n{END}{after}", tables.trim_end()),
        )?;
        fs::write(directory.join("performance.json"), self.json()?)?;
        fs::write(directory.join("performance.svg"), plot::svg(self)?)?;
        Ok(())
    }

    /// Prints the table.
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        write!(std::io::stdout(), "{}", self.markdown()?)?;
        Ok(())
    }

    /// Fails if anything was noted.
    pub(crate) fn fail_beyond_bounds(&self) -> anyhow::Result<()> {
        ensure!(
            self.beyond_bounds.is_empty(),
            "{}",
            self.beyond_bounds.join("; ")
        );
        Ok(())
    }

    fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    fn markdown(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        let [server, load] = self.cores;
        writeln!(
            text,
            "`{}` on {} at {}: {}. The server on core {server}, the load on core {load}.\n",
            self.command, self.date, self.commit, self.machine
        )?;
        let versions: Vec<_> = self
            .versions
            .iter()
            .map(|(name, version)| format!("{name}: {version}"))
            .collect();
        writeln!(text, "{}.\n", versions.join("; "))?;
        self.write_goals(&mut text)?;
        self.write_rows(&mut text)?;
        self.write_peers(&mut text)?;
        self.write_facts(&mut text)?;
        Ok(text)
    }

    fn write_goals(&self, text: &mut String) -> anyhow::Result<()> {
        if self.goals.is_empty() {
            return Ok(());
        }
        writeln!(text, "### Targets\n")?;
        writeln!(text, "| | against | target | measured | met |")?;
        writeln!(text, "|---|---|---|---|---|")?;
        for goal in &self.goals {
            let figure = |value: Option<f64>| match value {
                None => "-".to_owned(),
                Some(value) if goal.unit.is_empty() => format!("{value:.2}"),
                Some(value) => format!("{value:.1} {}", goal.unit),
            };
            let reached = match goal.reached {
                None => "not measured",
                Some(true) => "yes",
                Some(false) => "no",
            };
            writeln!(
                text,
                "| {} | {} | {} | {} | {reached} |",
                goal.what,
                goal.against,
                figure(goal.to_reach),
                figure(goal.measured),
            )?;
        }
        writeln!(text)?;
        Ok(())
    }

    fn write_rows(&self, text: &mut String) -> anyhow::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        writeln!(text, "### Measurements\n")?;
        writeln!(
            text,
            "| work | database | accounts | connections | requests/s | CPU µs | p50 ms | p99 ms | p99.9 ms | core used | \
             floor | its requests/s | its CPU µs | share of the floor |"
        )?;
        writeln!(
            text,
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
        )?;
        for row in &self.rows {
            let (prokura, floor) = (&row.prokura, &row.floor);
            writeln!(
                text,
                "| {} | {} | {} | {} | {:.0} | {:.1} | {:.2} | {:.2} | {:.2} | {:.2} | {} | {:.0} | {:.1} | {:.2} |",
                row.work,
                row.database,
                row.accounts,
                row.connections,
                prokura.requests_per_second,
                prokura.cpu_us,
                prokura.p50_ms,
                prokura.p99_ms,
                prokura.p999_ms,
                prokura.busy,
                row.floor_signature,
                floor.requests_per_second,
                floor.cpu_us,
                prokura.share_of(floor),
            )?;
        }
        writeln!(text)?;
        Ok(())
    }

    fn write_facts(&self, text: &mut String) -> anyhow::Result<()> {
        if self.facts.is_empty() {
            return Ok(());
        }
        writeln!(text, "### Disk\n")?;
        writeln!(text, "| | |\n|---|---|")?;
        for fact in &self.facts {
            writeln!(text, "| {} | {:.0} {} |", fact.what, fact.value, fact.unit)?;
        }
        Ok(())
    }

    fn write_peers(&self, text: &mut String) -> anyhow::Result<()> {
        for absent in &self.absent_peers {
            writeln!(text, "Not measured: {}\n", absent.replace('\n', " "))?;
        }
        if self.peers.is_empty() {
            return Ok(());
        }
        writeln!(text, "### Other servers\n")?;
        writeln!(
            text,
            "| peer | work | requests/s | CPU µs | p50 ms | p99 ms | p99.9 ms |"
        )?;
        writeln!(text, "|---|---|---|---|---|---|---|")?;
        for row in &self.peers {
            let figures = &row.figures;
            writeln!(
                text,
                "| {} | {} | {:.0} | {:.1} | {:.2} | {:.2} | {:.2} |",
                row.peer,
                row.work,
                figures.requests_per_second,
                figures.cpu_us,
                figures.p50_ms,
                figures.p99_ms,
                figures.p999_ms,
            )?;
        }
        writeln!(text)?;
        Ok(())
    }
}

/// What a person typed for this run.
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

/// `wrk` tells its version only beside an exit code of 1.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(busy: f64, cpu_us: f64) -> Figures {
        Figures {
            requests_per_second: busy * 1e6 / cpu_us,
            cpu_us,
            busy,
            p50_ms: 1.0,
            p99_ms: 1.0,
            p999_ms: 1.0,
        }
    }

    #[test]
    fn what_is_tenfold_slower_is_beyond_its_bound_and_what_is_not_is_within() {
        let row = |cpu_us| Row {
            work: "get",
            database: "SQLite",
            accounts: 1,
            connections: 32,
            prokura: figures(1.0, cpu_us),
            floor_signature: "constant",
            floor: figures(1.0, 7.0),
        };
        assert_eq!(row(14.0).beyond(Some(8.0)), None);
        assert!(row(140.0).beyond(Some(8.0)).is_some());
        assert_eq!(row(140.0).beyond(None), None);
    }

    #[test]
    fn a_share_is_one_of_requests_only_if_both_used_their_core_up() {
        let floor = figures(1.0, 7.0);
        assert!((figures(1.0, 14.0).share_of(&floor) - 0.5).abs() < 0.01);
        // Held back by something else: it got through a tenth, yet its requests cost the same.
        assert!((figures(0.05, 14.0).share_of(&floor) - 0.5).abs() < 0.01);
    }
}
