//! How a piece of work is measured: everything that is compared, in turn, as often as the run repeats.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::{
    bench::{Bench, FEW, copy_files},
    figures::{Figures, Row},
    floor::Signature,
    load,
    process::{self, Server},
    requests::Requests,
    subject::Subject,
    work::{Kind, Work},
    wrk::{Load, Seen},
};

/// Repetitions of what has a bound, even in a quick run.
const BOUNDED_REPETITIONS: usize = 3;
/// Connections to PostgreSQL, and reads under way on each: as many as the server has connections, and a few that are shared.
/// The better of the two is what the database can do.
const POINT_READS: [(usize, usize); 2] = [(16, 2), (4, 8)];
const RAW_TOGETHER: usize = 64;
const WARM_UP_AT_MOST: Duration = Duration::from_secs(60);

impl Bench {
    /// Measures the floor and each subject in turn, as often as the run repeats, and what is done `raw` in between.
    pub(crate) async fn measure(
        &self,
        work: &Work,
        subjects: &[Subject],
        raw: Option<&dyn Fn() -> anyhow::Result<f64>>,
    ) -> anyhow::Result<Measured> {
        let mut loads = Vec::new();
        let mut answer = None;
        for (number, subject) in subjects.iter().enumerate() {
            let requests = subject.requests(work.kind).await?;
            let request = match work.kind {
                Kind::Delete => subject.deletions(0).await?.remove(0),
                _ => requests.text(0),
            };
            answer = Some(load::answer(subject.address(), &request).await?);
            let load = Load::prepare(&self.scratch.0, &number.to_string(), &requests)?;
            if work.kind.changes_nothing() {
                // What is measured is a server that has been at it for a while, and was asked everything once, unless that takes
                // too long.
                let (begun, mut asked) = (Instant::now(), 0);
                while asked == 0 || asked < load.count() && begun.elapsed() < WARM_UP_AT_MOST {
                    let (connections, seconds) = (work.connections, self.extent.seconds);
                    let seen =
                        load.run(&self.cores, subject.address(), connections, seconds, asked)?;
                    asked += seen.requests as usize;
                }
            }
            loads.push(load);
        }
        let answer = answer.context("there is a server to measure")?;
        // What one server writes down later is not to be counted against another.
        subjects.iter().try_for_each(|other| other.server.halt())?;
        let floor = self.start_floor(work.floor, &answer, None)?;

        let extent = &self.extent;
        let repetitions = match work.bound {
            Some(_) => extent.repetitions.max(BOUNDED_REPETITIONS),
            None => extent.repetitions,
        };
        let mut measured = vec![Samples::default(); subjects.len()];
        let (mut of_floor, mut of_raw) = (Samples::default(), Vec::new());
        for repetition in 0..repetitions {
            let run = |load: &Load, address: &str| {
                let connections = work.connections;
                load.run(
                    &self.cores,
                    address,
                    connections,
                    extent.seconds,
                    // Each repetition begins elsewhere.
                    repetition * load.count() / extent.repetitions,
                )
            };
            let before = floor.accounts()?;
            let seen = run(&loads[0], &floor.address)?;
            of_floor.add(seen, (floor.accounts()?.cpu - before.cpu).as_secs_f64());
            for ((subject, load), samples) in subjects.iter().zip(&loads).zip(&mut measured) {
                subject.server.go_on()?;
                let deletions = match work.kind {
                    Kind::Delete => subject.deletions(extent.seconds).await?,
                    _ => Vec::new(),
                };
                let before = subject.accounted()?;
                let seen = match work.kind {
                    Kind::Delete => {
                        let connections = work.connections as usize;
                        load::each_once(subject.address(), &deletions, connections)
                            .await?
                            .1
                    }
                    _ => run(load, subject.address())?,
                };
                samples.add(seen, (subject.accounted()?.cpu - before.cpu).as_secs_f64());
                subject.server.halt()?;
            }
            if let Some(raw) = raw {
                of_raw.push(raw()?);
            }
        }
        subjects.iter().try_for_each(|each| each.server.go_on())?;
        Ok(Measured {
            floor: of_floor.figures(),
            subjects: measured.into_iter().map(Samples::figures).collect(),
            raw: raw.map(|_| median(of_raw)),
        })
    }

    /// What a peer does.
    pub(crate) fn measure_peer(
        &self,
        server: &Server,
        requests: &Requests,
    ) -> anyhow::Result<Figures> {
        let load = Load::prepare(&self.scratch.0, "peer", requests)?;
        let mut samples = Samples::default();
        for repetition in 0..self.extent.repetitions {
            let before = server.accounts()?;
            let address = &server.address;
            let passed_over = repetition * load.count() / self.extent.repetitions;
            let seen = load.run(&self.cores, address, 32, self.extent.seconds, passed_over)?;
            samples.add(seen, (server.accounts()?.cpu - before.cpu).as_secs_f64());
        }
        Ok(samples.figures())
    }

    /// Starts a floor that gives `answer`, with TLS if there is a certificate and a key for it.
    pub(crate) fn start_floor(
        &self,
        signature: Signature,
        answer: &[u8],
        tls: Option<[&Path; 2]>,
    ) -> anyhow::Result<Server> {
        let path = self.scratch.0.join("answer");
        fs::write(&path, answer)?;
        let mut command = process::pinned(&std::env::current_exe()?, &[self.cores.server]);
        command.arg("floor").arg("--answer").arg(&path);
        command.args(["--signature", &signature.as_str().to_lowercase()]);
        if let Some([certificate, key]) = tls {
            command.arg("--certificate").arg(certificate);
            command.arg("--key").arg(key);
        }
        Server::start(command, &self.scratch.0.join("floor.log"))
    }

    /// Point reads per second from the PostgreSQL database at `url`, which has few accounts.
    pub(crate) fn point_reads(&self, url: &str) -> anyhow::Result<f64> {
        let mut best: f64 = 0.0;
        for (connections, pipelined) in POINT_READS {
            let mut command = process::pinned(&std::env::current_exe()?, &[self.cores.server]);
            command
                .args(["points", "postgres", url])
                .args(["--accounts", &FEW.to_string()])
                .args(["--connections", &connections.to_string()])
                .args(["--pipelined", &pipelined.to_string()])
                .args(["--seconds", &self.extent.seconds.to_string()]);
            best = best.max(process::run(command)?.trim().parse()?);
        }
        Ok(best)
    }

    /// Accounts per second that SQLite takes in, on a copy of the database in `seed`.
    pub(crate) fn raw_inserts(&self, seed: &Path) -> anyhow::Result<f64> {
        let directory = self.scratch.directory()?;
        copy_files(seed, &directory, &["prokura.db"])?;
        let mut command = process::pinned(&std::env::current_exe()?, &[self.cores.server]);
        command
            .args(["points", "sqlite"])
            .arg(directory.join("prokura.db"))
            .args(["--together", &RAW_TOGETHER.to_string()]);
        let rate = process::run(command)?.trim().parse()?;
        fs::remove_dir_all(directory)?;
        Ok(rate)
    }
}

/// What came of one piece of work.
pub(crate) struct Measured {
    /// What the floor did.
    pub(crate) floor: Figures,
    /// What each subject did.
    pub(crate) subjects: Vec<Figures>,
    /// A rate per second.
    pub(crate) raw: Option<f64>,
}

impl Measured {
    /// The rows of two subjects.
    pub(crate) fn rows(
        &self,
        work: &Work,
        database: &'static str,
        subjects: &[Subject],
    ) -> [Row; 2] {
        [0, 1].map(|at| Row {
            work: work.name,
            database,
            accounts: subjects[at].accounts,
            connections: work.connections,
            prokura: self.subjects[at],
            floor_signature: work.floor.as_str(),
            floor: self.floor,
        })
    }
}

/// What several runs of one load saw, and the processor time that the server took for each.
#[derive(Clone, Default)]
pub(crate) struct Samples(Vec<(Seen, f64)>);

impl Samples {
    /// Adds a run, for which the server took so much processor time.
    pub(crate) fn add(&mut self, seen: Seen, cpu_seconds: f64) {
        self.0.push((seen, cpu_seconds));
    }

    /// The medians.
    pub(crate) fn figures(self) -> Figures {
        let median_of =
            |figure: fn(&(Seen, f64)) -> f64| median(self.0.iter().map(figure).collect());
        Figures {
            requests_per_second: median_of(|(seen, _)| seen.requests as f64 / seen.seconds),
            cpu_us: median_of(|(seen, cpu)| cpu * 1e6 / seen.requests as f64),
            busy: median_of(|(seen, cpu)| cpu / seen.seconds),
            p50_ms: median_of(|(seen, _)| seen.p50_ms),
            p99_ms: median_of(|(seen, _)| seen.p99_ms),
            p999_ms: median_of(|(seen, _)| seen.p999_ms),
        }
    }
}

/// The sample in the middle.
pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
