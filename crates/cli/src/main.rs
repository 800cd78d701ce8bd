//! `prokura`: the server and its command line.
//!
//! * [`command_line`]: parses the command line. [`usage_error`] turns its errors into `error:` and `hint:`.
//! * [`serve`], [`bootstrap`], [`check`], [`audit`], [`keys`], [`organizations`]: the commands that use the database, one file or folder each.
//! * [`config`], [`authority`], [`master_key`], [`tls`], [`first_start`], [`credentials_file`], [`logging`]: what these share.
//! * [`remote`]: the commands that talk to a running server.
//! * [`key_steps`], [`resource_difference`]: log changes of the signing keys and of the configured resources.
//! * [`generate`]: shell completions and manual pages.
//! * [`failure`], [`hints`]: how errors are printed.
//! * [`core_dumps`]: keeps secrets out of core dumps.
//! * [`private_files`]: directories and files that only their owner can read.

mod audit;
mod authority;
mod bootstrap;
mod check;
mod command_line;
mod config;
mod core_dumps;
mod credentials_file;
mod failure;
mod first_start;
mod generate;
mod hints;
mod key_steps;
mod keys;
mod logging;
mod master_key;
mod organizations;
mod private_files;
mod remote;
mod resource_difference;
mod serve;
mod tls;
mod usage_error;

use std::process::ExitCode;

use anyhow::Context as _;

use command_line::{Command, DatabaseCommand};
use config::Config;
use failure::Failure;

fn main() -> ExitCode {
    core_dumps::forbid();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run() -> Result<(), Failure> {
    match command_line::parse()? {
        None => Ok(()),
        Some(Command::Database(command)) => run_on_database(command),
        Some(Command::Remote(command)) => remote::run(command),
        Some(Command::Generate(command)) => generate::run(command, command_line::definition()),
    }
}

fn run_on_database(mut command: DatabaseCommand) -> Result<(), Failure> {
    let config = Config::load(command.options())?;
    if command.needs_master_key() {
        config.check_master_key()?;
    }
    let log = logging::init(&config).context("cannot open standard error")?;

    let runtime = tokio::runtime::Runtime::new().context("cannot start the worker threads")?;
    runtime.block_on(async {
        match command {
            DatabaseCommand::Serve(_) => serve::run(&config, &log).await,
            DatabaseCommand::Bootstrap(arguments) => bootstrap::run(&config, arguments).await,
            DatabaseCommand::Check(_) => check::run(&config).await,
            DatabaseCommand::Keys(command) => keys::run(&config, command).await,
            DatabaseCommand::Organizations(command) => organizations::run(&config, command).await,
            DatabaseCommand::Recover(arguments) => organizations::recover(&config, arguments).await,
            DatabaseCommand::VerifyAudit(arguments) => audit::verify(&config, arguments).await,
        }
    })
}
