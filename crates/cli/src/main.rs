//! `prokura`: the server and its command line.
//!
//! * [`config`]: flags, environment, file, defaults.
//! * [`serve`], [`bootstrap`], [`check`], [`audit`]: one file per command.
//! * [`authority`], [`master_key`], [`tls`], [`first_start`], [`data_dir`]: what the commands share.
//! * [`logging`]: what is written to standard error.

mod audit;
mod authority;
mod bootstrap;
mod check;
mod config;
mod data_dir;
mod first_start;
mod logging;
mod master_key;
mod serve;
mod tls;

use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{
    ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, builder::Resettable,
    parser::ValueSource,
};

use config::{Config, Options};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FAILURE: u8 = 1;
const USAGE: u8 = 2;

/// Service accounts for an organization's machines: OAuth 2.0 client credentials, and an API to manage them.
#[derive(Parser)]
#[command(name = "prokura", version, max_term_width = 120, arg_required_else_help = false, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Begin with `prokura serve`: it needs no configuration and tells what to do next.

Exit codes: 0 success, 1 failure, 2 wrong usage or a configuration that is refused.";

#[derive(Subcommand)]
enum Command {
    /// Run the server
    ///
    /// The first start on an empty database makes an organization and a service account that may do everything, and
    /// writes the account's credentials to <data-dir>/bootstrap.json.
    #[command(after_help = SERVE_EXAMPLE)]
    Serve(Options),

    /// Make an organization with a service account that may do everything, and print its credentials once
    ///
    /// It acts on the database, also beside a running server. On an empty database this is the first start: `prokura
    /// serve` then makes nothing.
    #[command(after_help = BOOTSTRAP_EXAMPLE)]
    Bootstrap(bootstrap::Arguments),

    /// Show the effective configuration, and whether the database and the master key are in order
    ///
    /// It makes nothing and changes nothing. Passwords and keys are not shown.
    #[command(after_help = CHECK_EXAMPLE)]
    Check(Options),

    /// Check the audit trail
    #[command(subcommand)]
    Audit(audit::Command),
}

impl Command {
    fn options(&mut self) -> &mut Options {
        match self {
            Self::Serve(options) | Self::Check(options) => options,
            Self::Bootstrap(arguments) => &mut arguments.options,
            Self::Audit(audit::Command::Verify(arguments)) => &mut arguments.options,
        }
    }
}

const SERVE_EXAMPLE: &str = "\
A flag beats its environment variable beats the file beats the default. The file has further settings.

Example: prokura serve --data-dir /var/lib/prokura --public-url https://prokura.example.com";

const BOOTSTRAP_EXAMPLE: &str = "\
Give the database and the public URL as the server has them.

Example: prokura bootstrap --organization Example --service-account Terraform --json";

const CHECK_EXAMPLE: &str = "\
It exits with 0 if `prokura serve` would find everything in order.

Example: prokura check --config /etc/prokura.toml";

fn main() -> ExitCode {
    let (code, message) = match run() {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => (USAGE, message),
        Err(Failure::Other(error)) => (FAILURE, format!("{error:#}")),
    };
    // Where standard error is closed, the exit code has to do.
    let _ = writeln!(io::stderr(), "prokura: {}", message.replace('\n', " "));
    ExitCode::from(code)
}

enum Failure {
    Usage(String),
    Other(anyhow::Error),
}

impl Failure {
    fn usage(error: impl Display) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

fn run() -> Result<(), Failure> {
    let Some(mut command) = parse()? else {
        return Ok(());
    };
    let config = Config::load(command.options()).map_err(Failure::usage)?;
    // Who verifies the audit trail need not be trusted with the key.
    if !matches!(command, Command::Audit(_)) {
        config.check_master_key().map_err(Failure::usage)?;
    }
    logging::init(&config);

    let runtime = tokio::runtime::Runtime::new().context("cannot start the worker threads")?;
    runtime.block_on(async {
        match command {
            Command::Serve(_) => serve::run(&config).await,
            Command::Bootstrap(arguments) => bootstrap::run(&config, arguments).await,
            Command::Check(_) => check::run(&config).await,
            Command::Audit(audit::Command::Verify(arguments)) => {
                audit::verify(&config, arguments).await
            }
        }
    })?;
    Ok(())
}

/// The command that was asked for. `None`: it was help or the version, and that is printed.
fn parse() -> Result<Option<Command>, Failure> {
    let parsed = without_empty_variables(Cli::command())
        .try_get_matches()
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) if error.use_stderr() => return Err(Failure::Usage(one_line(&error))),
        Err(error) => {
            error.print().context("cannot write to standard output")?;
            return Ok(None);
        }
    };
    let mut command = cli.command;
    command.options().from_environment = from_environment(&matches);
    Ok(Some(command))
}

/// An environment variable that is empty counts as unset.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |argument: &clap::Arg| {
        let value = argument.get_env().and_then(std::env::var_os);
        value.is_some_and(|value| value.is_empty())
    };
    command
        .mut_args(|argument| {
            if is_empty(&argument) {
                argument.env(Resettable::Reset)
            } else {
                argument
            }
        })
        .mut_subcommands(without_empty_variables)
}

/// The ids of the options of the command, or of the command within it, that came from the environment.
fn from_environment(matches: &ArgMatches) -> Vec<String> {
    if let Some((_, matches)) = matches.subcommand() {
        return from_environment(matches);
    }
    matches
        .ids()
        .map(|id| id.as_str().to_owned())
        .filter(|id| matches.value_source(id) == Some(ValueSource::EnvVariable))
        .collect()
}

/// What clap says over several lines, without the usage that `--help` shows better.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .map(|line| line.trim_start_matches("error: "));
    let mut message = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let separator = if message.ends_with(':') { " " } else { "; " };
        message.push_str(separator);
        message.push_str(line);
    }
    format!("{message}; see `prokura --help`")
}
