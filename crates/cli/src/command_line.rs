//! What can be asked on the command line, and how it is read.

use clap::{
    ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, builder::Resettable,
    parser::ValueSource,
};

use crate::{Failure, audit, bootstrap, config::Options, generate, remote};

/// Service accounts for an organization's machines: OAuth 2.0 client credentials, and an API to manage them.
#[derive(Parser)]
#[command(name = "prokura", version, max_term_width = 120, arg_required_else_help = false, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Parsed,
}

const AFTER_HELP: &str = "\
Begin with `prokura serve`: it needs no configuration and tells what to do next. While it runs, in another terminal:

  prokura profile add --from prokura-data/bootstrap.json      (where the server is, and who you are)
  prokura service-accounts create \"CI Pipeline\"               (it shows its secret, this once)
  prokura service-accounts list
  prokura service-accounts rotate-secret ID
  prokura service-accounts delete ID
  prokura exec -- sh -c 'echo $PROKURA_ACCESS_TOKEN'          (a token for a program)

Exit codes: 0 success, 1 failure, 2 wrong usage or a configuration that is refused.";

#[derive(Subcommand)]
enum Parsed {
    #[command(flatten)]
    OnDatabase(OnDatabase),

    #[command(flatten)]
    Remote(remote::Command),

    /// List, export and check the audit trail
    #[command(subcommand, arg_required_else_help = false)]
    Audit(Audit),

    #[command(flatten)]
    Generate(generate::Command),
}

#[derive(Subcommand)]
enum Audit {
    #[command(flatten)]
    Remote(remote::audit::Command),

    #[command(flatten)]
    OnDatabase(audit::Command),
}

/// The command that was asked for, by what it needs.
pub(crate) enum Command {
    /// A configuration and its database.
    OnDatabase(OnDatabase),
    /// A running server.
    Remote(remote::Command),
    /// Nothing.
    Generate(generate::Command),
}

/// The commands that act on the database.
#[derive(Subcommand)]
pub(crate) enum OnDatabase {
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

    /// `prokura audit verify`.
    #[command(skip)]
    VerifyAudit(audit::VerifyArguments),
}

impl OnDatabase {
    /// The options by which it finds its configuration.
    pub(crate) fn options(&mut self) -> &mut Options {
        match self {
            Self::Serve(options) | Self::Check(options) => options,
            Self::Bootstrap(arguments) => &mut arguments.options,
            Self::VerifyAudit(arguments) => &mut arguments.options,
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

/// The command that was asked for. `None`: it was help or the version, and that is printed.
pub(crate) fn parse() -> Result<Option<Command>, Failure> {
    let parsed = without_empty_variables(definition())
        .try_get_matches()
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) if error.use_stderr() => return Err(Failure::usage(one_line(&error))),
        Err(error) => {
            error.print().map_err(Failure::output)?;
            return Ok(None);
        }
    };
    Ok(Some(match cli.command {
        Parsed::OnDatabase(command) => on_database(command, &matches),
        Parsed::Audit(Audit::OnDatabase(audit::Command::Verify(arguments))) => {
            on_database(OnDatabase::VerifyAudit(arguments), &matches)
        }
        Parsed::Audit(Audit::Remote(command)) => Command::Remote(remote::Command::Audit(command)),
        Parsed::Remote(command) => Command::Remote(command),
        Parsed::Generate(command) => Command::Generate(command),
    }))
}

/// The whole command line, for those who describe it.
pub(crate) fn definition() -> clap::Command {
    Cli::command()
}

fn on_database(mut command: OnDatabase, matches: &ArgMatches) -> Command {
    command.options().from_environment = from_environment(matches);
    Command::OnDatabase(command)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        definition().debug_assert();
    }
}
