//! One run: servers and load on their cores, everything measured in turn, the table written.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, bail, ensure};

use crate::{
    bench::{Bench, FEW, FULL, QUICK, Scratch, copy_files, directory_bytes},
    figures::{Fact, Goal, Row},
    floor::Signature,
    load,
    measure::{Samples, median},
    peers,
    postgres::{self, Cluster},
    process::{self, Cores, Server},
    publish,
    report::Report,
    requests::Requests,
    seed::Number,
    subject::{Setup, Subject},
    tls,
    work::{self, Kind, Work},
};

/// Measure Prokura against the floor, and write the table
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Everything, but briefly: within three minutes, and its figures decide nothing
    #[arg(long)]
    quick: bool,
    /// Only what has this in its name, such as `issue`, `SQLite`, `get, PostgreSQL`, `TLS` or `start`
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Peers too, as far as their packages can be installed
    #[arg(long)]
    peers: bool,
    /// Prokura's binary
    #[arg(long, default_value = "target/release/prokura")]
    prokura: PathBuf,
    /// Where table, JSON and plot are written
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// Put them into docs/PERFORMANCE.md and beside it as well
    #[arg(long)]
    publish: bool,
}

const TLS_CONNECTIONS: u32 = 32;

/// Measures everything, writes the report, prints the table. Fails if a bound is broken.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let prokura = fs::canonicalize(&arguments.prokura).with_context(|| {
        let path = arguments.prokura.display();
        format!("there is no {path}; `cargo build --release` makes it")
    })?;
    fs::create_dir_all(&arguments.out)?;
    let out = fs::canonicalize(&arguments.out)?;
    let bench = Bench {
        cores: Cores::share_out()?,
        extent: if arguments.quick { QUICK } else { FULL },
        only: arguments.only.clone(),
        prokura,
        scratch: Scratch::new(&out)?,
        seeds: out.join("seeds"),
    };
    let mut report = Report::new(&bench.prokura, &bench.cores)?;
    bench.measure_sqlite(&mut report).await?;
    bench.measure_tls(&mut report).await?;
    bench.measure_starts(&mut report).await?;
    bench.measure_two_workers(&mut report).await?;
    bench.measure_postgres(&mut report).await?;
    if arguments.peers {
        let directory = out.join("peers");
        let measure = |server: &Server, requests: &Requests| bench.measure_peer(server, requests);
        peers::measure(&mut report, &bench.cores, &directory, &measure).await?;
    }
    publish::write(&report, &out)?;
    if arguments.publish {
        publish::publish(&report, Path::new("docs"))?;
    }
    publish::print(&report)?;
    report.fail_beyond_bounds()
}

impl Bench {
    async fn measure_sqlite(&self, report: &mut Report) -> anyhow::Result<()> {
        let works = self.wanted("SQLite");
        if works.is_empty() {
            return Ok(());
        }
        let mut subjects = Vec::new();
        let mut idle_bytes = 0;
        for accounts in [FEW, self.extent.many] {
            let directory = self.seeded(accounts).await?;
            report.facts.push(Fact {
                what: format!("SQLite database of {accounts} accounts"),
                value: directory_bytes(&directory)? as f64 / f64::from(accounts),
                unit: "bytes on disk per account",
            });
            let subject = self.start(&directory, None, accounts)?;
            subject.first_token().await?;
            if accounts == FEW {
                idle_bytes = subject.accounted()?.resident_bytes;
            }
            subjects.push(subject);
        }
        let raw_seed = self.seed(self.extent.raw).await?;
        for work in &works {
            let raw = || self.raw_inserts(&raw_seed);
            let raw = (work.kind == Kind::Create).then_some(&raw as &dyn Fn() -> _);
            let measured = self.measure(work, &subjects, raw).await?;
            let [few, many] = measured.rows(work, "SQLite", &subjects);
            report.beyond_bounds.extend(few.beyond(work.bound));
            if let Some(to_reach) = work.to_reach {
                report.goals.push(Goal::share(
                    work.name,
                    format!("the {} floor", work.floor.as_str()),
                    to_reach,
                    few.prokura.share_of(&few.floor),
                ));
                report.goals.push(Goal::share(
                    &format!("{}, {} accounts", work.name, many.accounts),
                    format!("with {FEW} accounts"),
                    0.85,
                    many.prokura.share_of(&few.prokura),
                ));
            }
            if let Some(raw) = measured.raw {
                report.goals.push(Goal::share(
                    "create, 64 connections",
                    "raw inserts of the same rows, 64 to a durable transaction".to_owned(),
                    0.40,
                    few.prokura.requests_per_second / raw,
                ));
            }
            report.rows.extend([few, many]);
        }
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let [few, many] = &*subjects else {
            bail!("two servers were started");
        };
        let peak = few.accounted()?.peak_bytes;
        let peak_of_many = many.accounted()?.peak_bytes;
        report.goals.extend([
            Goal::at_most("resident memory, idle", "MiB", 20.0, mib(idle_bytes)),
            Goal::at_most(
                "resident memory, at its peak under load",
                "MiB",
                48.0,
                mib(peak),
            ),
            Goal::at_most(
                &format!("the same with {} accounts", many.accounts),
                "MiB",
                160.0,
                mib(peak_of_many),
            ),
        ]);
        subjects.into_iter().try_for_each(Subject::stop)
    }

    async fn measure_postgres(&self, report: &mut Report) -> anyhow::Result<()> {
        let works = self.wanted("PostgreSQL");
        if works.is_empty() {
            return Ok(());
        }
        let cluster = Cluster::start(&self.cores)?;
        report.versions.insert("PostgreSQL", cluster.version()?);
        let mut subjects = Vec::new();
        let mut few_url = String::new();
        for accounts in [FEW, self.extent.many] {
            let directory = self.scratch.directory()?;
            copy_files(&self.seed(accounts).await?, &directory, &["master.key"])?;
            let seed = self.seed(accounts).await?.join("prokura.db");
            let url = cluster
                .copy_of(&seed, &format!("accounts_{accounts}"))
                .await?;
            report.facts.push(Fact {
                what: format!("PostgreSQL database of {accounts} accounts"),
                value: postgres::database_bytes(&url).await? as f64 / f64::from(accounts),
                unit: "bytes on disk per account",
            });
            subjects.push(self.start(&directory, Some(&url), accounts)?);
            if accounts == FEW {
                few_url = url;
            }
        }
        // The bounds are those of the server by itself, not of a database beside it.
        for work in works.into_iter().map(|work| Work {
            bound: None,
            ..work
        }) {
            let work = &work;
            let raw = || self.point_reads(&few_url);
            let is_compared = work.kind == Kind::Issue(None);
            let raw = is_compared.then_some(&raw as &dyn Fn() -> _);
            let measured = self.measure(work, &subjects, raw).await?;
            let [few, many] = measured.rows(work, "PostgreSQL", &subjects);
            if let Some(raw) = measured.raw {
                report.goals.push(Goal::share(
                    "issue, opaque, PostgreSQL",
                    "point reads from the same database with the same driver".to_owned(),
                    0.60,
                    few.prokura.requests_per_second / raw,
                ));
            }
            report.rows.extend([few, many]);
        }
        subjects.into_iter().try_for_each(Subject::stop)
    }

    /// The work that is to be measured on a database.
    fn wanted(&self, database: &str) -> Vec<Work> {
        work::ALL
            .into_iter()
            .filter(|work| self.wants(&format!("{}, {database}", work.name)))
            .collect()
    }

    fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }

    /// A token over a new TLS 1.3 connection each, as the jobs of a pipeline get theirs.
    async fn measure_tls(&self, report: &mut Report) -> anyhow::Result<()> {
        if !self.wants("token over a fresh or resumed TLS 1.3 connection") {
            return Ok(());
        }
        let directory = self.seeded(FEW).await?;
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| directory.join(name));
        tls::write_certificate(&certificate, &key)?;
        let more = format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n");
        let setup = Setup {
            directory: &directory,
            database_url: None,
            more: &more,
        };
        let command = process::pinned(&self.prokura, &[self.cores.server]);
        let subject = Subject::start(command, &setup, FEW)?;
        let requests = subject.requests(Kind::Issue(None)).await?;
        for (work, resume) in [
            ("token over a fresh TLS 1.3 connection", false),
            ("token over a resumed TLS 1.3 connection", true),
        ] {
            let config = tls::client_config(resume)?;
            let answer =
                load::answer_over_tls(subject.address(), &requests.text(0), &config).await?;
            let floor =
                self.start_floor(Signature::Constant, &answer, Some([&certificate, &key]))?;
            let (mut of_floor, mut of_prokura) = (Samples::default(), Samples::default());
            for _ in 0..self.extent.repetitions {
                for (server, samples) in
                    [(&floor, &mut of_floor), (&subject.server, &mut of_prokura)]
                {
                    let before = server.accounts()?;
                    let (seen, resumed) = load::fresh_connections(
                        &server.address,
                        &requests,
                        TLS_CONNECTIONS,
                        self.extent.seconds,
                        resume,
                    )
                    .await?;
                    samples.add(seen, (server.accounts()?.cpu - before.cpu).as_secs_f64());
                    // The first connection of each client has nothing to resume.
                    ensure!(
                        resume == (resumed > 0.5),
                        "{:.0} % of the connections were resumed",
                        resumed * 100.0
                    );
                }
            }
            let row = Row {
                work,
                database: "SQLite",
                accounts: FEW,
                connections: TLS_CONNECTIONS,
                prokura: of_prokura.figures(),
                floor_signature: Signature::Constant.as_str(),
                floor: of_floor.figures(),
            };
            report.goals.push(Goal::share(
                work,
                "the constant floor over the same".to_owned(),
                0.90,
                row.prokura.share_of(&row.floor),
            ));
            report.rows.push(row);
        }
        subject.stop()
    }

    /// From the start of the process to the first token, with a database that is there.
    async fn measure_starts(&self, report: &mut Report) -> anyhow::Result<()> {
        if !self.wants("start to the first token") {
            return Ok(());
        }
        let directory = self.seeded(FEW).await?;
        // Makes the signing keys.
        self.start(&directory, None, FEW)?.stop()?;
        let mut samples = Vec::new();
        for _ in 0..self.extent.starts {
            let setup = Setup {
                directory: &directory,
                database_url: None,
                more: "",
            };
            let started = Instant::now();
            let subject = Subject::start(Command::new(&self.prokura), &setup, FEW)?;
            subject.first_token().await?;
            samples.push(started.elapsed().as_secs_f64() * 1e3);
            subject.stop()?;
        }
        report.goals.push(Goal::at_most(
            "start to the first token",
            "ms",
            40.0,
            median(samples),
        ));
        Ok(())
    }

    async fn measure_two_workers(&self, report: &mut Report) -> anyhow::Result<()> {
        const WHAT: &str = "two worker threads against one";
        if !self.wants(WHAT) {
            return Ok(());
        }
        let [first, second, _, ..] = *self.cores.all else {
            let reason = "this machine has no two cores to spare beside the load's";
            report.goals.push(Goal::unmeasured(WHAT, reason));
            return Ok(());
        };
        let work = &work::ALL[0];
        let mut subjects = Vec::new();
        for cores in [&[first][..], &[first, second]] {
            let directory = self.seeded(FEW).await?;
            let setup = Setup {
                directory: &directory,
                database_url: None,
                more: "",
            };
            let command = process::pinned(&self.prokura, cores);
            subjects.push(Subject::start(command, &setup, FEW)?);
        }
        let measured = self.measure(work, &subjects, None).await?;
        let [one, two] = &*measured.subjects else {
            bail!("two servers were measured");
        };
        report.goals.push(Goal::share(
            WHAT,
            work.name.to_owned(),
            1.7,
            two.requests_per_second / one.requests_per_second,
        ));
        subjects.into_iter().try_for_each(Subject::stop)
    }

    fn start(
        &self,
        directory: &Path,
        database_url: Option<&str>,
        accounts: Number,
    ) -> anyhow::Result<Subject> {
        let setup = Setup {
            directory,
            database_url,
            more: "",
        };
        let command = process::pinned(&self.prokura, &[self.cores.server]);
        Subject::start(command, &setup, accounts)
    }
}
