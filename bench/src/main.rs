//! The benchmark: how close Prokura comes to the limits of the machine. `scripts/bench` runs it; `docs/PERFORMANCE.md` has
//! the latest results and explains them.
//!
//! * [`run`] measures everything in order. [`work`] lists the kinds of requests and their goals, [`measure`] repeats and takes
//!   medians, [`bench`] holds what all measurements share.
//! * [`subject`], [`seed`], [`postgres`], [`tls`] prepare Prokura on filled databases. [`floor`] is a server that only sends
//!   responses, [`points`] measures the bare databases, [`peers`] other products.
//! * [`requests`], [`wrk`], [`load`] make the load. [`process`] pins processes to cores and reads their processor time.
//! * [`figures`], [`report`] hold the results. [`tables`], [`plot`], [`publish`] write them.

mod bench;
mod figures;
mod floor;
mod load;
mod measure;
mod peers;
mod plot;
mod points;
mod postgres;
mod process;
mod publish;
mod report;
mod requests;
mod run;
mod seed;
mod subject;
mod tables;
mod tls;
mod work;
mod wrk;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

/// Measure Prokura against the limits of the machine.
#[derive(Parser)]
#[command(name = "prokura-bench", max_term_width = 120)]
enum Cli {
    Run(run::Arguments),
    Floor(floor::Arguments),
    #[command(subcommand)]
    Points(points::Arguments),
}

fn main() -> ExitCode {
    match run_command(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed, the exit code has to do.
            let _ = writeln!(io::stderr(), "prokura-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(cli: &Cli) -> anyhow::Result<()> {
    // The floor as the server: a worker for each core it is given. The load needs no more than one.
    let runtime = match cli {
        Cli::Floor(_) => runtime::Runtime::new()?,
        Cli::Run(_) | Cli::Points(_) => runtime::Builder::new_current_thread()
            .enable_all()
            .build()?,
    };
    runtime.block_on(async {
        match cli {
            // Interrupted, it still ends its servers and takes its files away.
            Cli::Run(arguments) => tokio::select! {
                outcome = run::run(arguments) => outcome,
                () = interrupted()? => anyhow::bail!("interrupted"),
            },
            Cli::Floor(arguments) => floor::serve(arguments).await,
            Cli::Points(arguments) => points::measure(arguments).await,
        }
    })
}

/// Resolves at the first SIGINT or SIGTERM.
fn interrupted() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
