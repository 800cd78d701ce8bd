//! `prokura`: the server and its command line.
//!
//! * [`command_line`]: what can be asked, and how it is read.
//! * [`serve`], [`bootstrap`], [`check`], [`audit`]: the commands that act on the database; one file each.
//! * [`config`], [`authority`], [`master_key`], [`tls`], [`first_start`], [`logging`]: what those share.
//! * [`remote`]: the commands that ask a running server.
//! * [`generate`]: completions for shells, and manual pages.
//! * [`data_dir`]: directories and files that only their owner may read.

mod audit;
mod authority;
mod bootstrap;
mod check;
mod command_line;
mod config;
mod data_dir;
mod failure;
mod first_start;
mod generate;
mod logging;
mod master_key;
mod remote;
mod serve;
mod tls;

use std::process::ExitCode;

use anyhow::Context as _;

use command_line::{Command, OnDatabase};
use config::Config;
use failure::Failure;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

fn run() -> Result<(), Failure> {
    match command_line::parse()? {
        None => Ok(()),
        Some(Command::OnDatabase(command)) => run_on_database(command),
        Some(Command::Remote(command)) => remote::run(command),
        Some(Command::Generate(command)) => generate::run(command),
    }
}

fn run_on_database(mut command: OnDatabase) -> Result<(), Failure> {
    let config = Config::load(command.options()).map_err(Failure::usage)?;
    // Who verifies the audit trail need not be trusted with the key.
    if !matches!(command, OnDatabase::VerifyAudit(_)) {
        config.check_master_key().map_err(Failure::usage)?;
    }
    logging::init(&config);

    let runtime = tokio::runtime::Runtime::new().context("cannot start the worker threads")?;
    runtime.block_on(async {
        match command {
            OnDatabase::Serve(_) => serve::run(&config).await,
            OnDatabase::Bootstrap(arguments) => bootstrap::run(&config, arguments).await,
            OnDatabase::Check(_) => check::run(&config).await,
            OnDatabase::VerifyAudit(arguments) => audit::verify(&config, arguments).await,
        }
    })?;
    Ok(())
}
