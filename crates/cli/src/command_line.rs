//! The definition of the command line, and its parser.

use clap::{
    ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, builder::Resettable,
    error::ErrorKind, parser::ValueSource,
};

use crate::{
    audit, bootstrap, config::Options, failure::Failure, generate, keys, organizations, remote,
    usage_error,
};

/// OAuth 2.0 server for service accounts, and its command line
#[derive(Parser)]
#[command(name = "prokura", version, max_term_width = 120, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Parsed,
}

const EXAMPLES: &str = "\
Examples:
  prokura serve                                            Start a server; needs no configuration

  While it runs, in another terminal:

  prokura profile add --from prokura-data/bootstrap.json   Import the credentials that the first start created
  prokura service-accounts create CI --scope tokens:introspect
                                                           Create a service account and print its secret
  prokura service-accounts list                            List all service accounts
  prokura service-accounts rotate-secret ID                Replace the secret
  prokura service-accounts delete ID                       Delete the service account
  prokura exec -- sh -c 'echo $PROKURA_ACCESS_TOKEN'       Run a program with an access token

Exit codes: 0 success, 1 failure, 2 wrong usage or invalid configuration.";

#[derive(Subcommand)]
enum Parsed {
    #[command(flatten)]
    Database(DatabaseCommand),

    #[command(flatten)]
    Remote(remote::Command),

    /// List, export and verify the audit trail
    #[command(subcommand, after_help = AUDIT_EXAMPLES)]
    Audit(Audit),

    #[command(flatten)]
    Generate(generate::Command),
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "the process parses one command")]
enum Audit {
    #[command(flatten)]
    Remote(remote::AuditCommand),

    #[command(flatten)]
    Database(audit::Command),
}

/// A parsed command, by what it needs.
pub(crate) enum Command {
    /// Needs a configuration and its database.
    Database(DatabaseCommand),
    /// Needs a running server.
    Remote(remote::Command),
    /// Needs nothing.
    Generate(generate::Command),
}

/// The commands that use the database.
#[derive(Subcommand)]
pub(crate) enum DatabaseCommand {
    /// Run the server
    ///
    /// The first start on an empty database creates an organization and a service account with all permissions, and
    /// writes the credentials of the account to DATA_DIR/bootstrap.json.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Options),

    /// Create an organization with a service account, and print the credentials once
    ///
    /// The service account has all permissions in the new organization. The command writes to the database directly; a
    /// server may be running. On an empty database it replaces the first start: `prokura serve` then creates no
    /// organization.
    #[command(after_help = BOOTSTRAP_EXAMPLES)]
    Bootstrap(bootstrap::Arguments),

    /// Print the effective configuration, and check the database, the master key and the certificate
    ///
    /// The command creates and changes nothing. It does not print passwords and keys.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Options),

    /// List, rotate and revoke the signing keys, and change the master key
    #[command(subcommand, after_help = keys::EXAMPLES)]
    Keys(keys::Command),

    /// List, create, rename, disable, enable and delete organizations
    #[command(subcommand, after_help = organizations::EXAMPLES)]
    Organizations(organizations::Command),

    /// Create an administrator in an organization that has lost its own, and print its credentials once
    #[command(after_help = organizations::RECOVER_EXAMPLES)]
    Recover(organizations::RecoverArguments),

    /// `prokura audit verify`.
    #[command(skip)]
    VerifyAudit(audit::VerifyArguments),
}

impl DatabaseCommand {
    /// Whether the command cannot do without the master key.
    pub(crate) const fn needs_master_key(&self) -> bool {
        match self {
            Self::Serve(_) | Self::Bootstrap(_) | Self::Check(_) | Self::Recover(_) => true,
            Self::Organizations(command) => command.needs_master_key(),
            Self::Keys(command) => command.needs_master_key(),
            Self::VerifyAudit(_) => false,
        }
    }

    /// The options that select the configuration.
    pub(crate) fn options(&mut self) -> &mut Options {
        match self {
            Self::Serve(options) | Self::Check(options) => options,
            Self::Bootstrap(arguments) => &mut arguments.options,
            Self::Keys(command) => command.options(),
            Self::Organizations(command) => command.options(),
            Self::Recover(arguments) => &mut arguments.options,
            Self::VerifyAudit(arguments) => &mut arguments.options,
        }
    }
}

const AUDIT_EXAMPLES: &str = "\
Examples:
  prokura audit list --action rotate_secret --since 2026-11-01T00:00:00Z
  prokura audit export --file audit.ndjson
  prokura audit verify --file audit.ndjson";

const SERVE_EXAMPLES: &str = "\
The configuration file has more settings, such as [tls] and [[resources]].

Examples:
  prokura serve
  prokura serve --config /etc/prokura.toml
  prokura serve --data-dir /var/lib/prokura --public-url https://prokura.example.com --tls-terminated-upstream";

const BOOTSTRAP_EXAMPLES: &str = "\
Use the same database, master key and public URL as the server.

Examples:
  prokura bootstrap --organization Example --service-account Terraform
  prokura bootstrap --organization Example --service-account Terraform --json | prokura profile add example --from -";

const CHECK_EXAMPLES: &str = "\
The exit code is 0 if `prokura serve` can start with this configuration.

Examples:
  prokura check --config /etc/prokura.toml";

/// Parses the command line. `None`: it asked for help or the version, which has been printed.
pub(crate) fn parse() -> Result<Option<Command>, Failure> {
    let parsed = without_empty_variables(definition())
        .try_get_matches()
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        // A command that needs a subcommand and got none shows its help. It exits with 2, so that scripts notice.
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            error.exit()
        }
        Err(error) if error.use_stderr() => {
            return Err(usage_error::failure(&error, &command_path()));
        }
        Err(error) => {
            error.print().map_err(Failure::output)?;
            return Ok(None);
        }
    };
    Ok(Some(match cli.command {
        Parsed::Database(command) => on_database(command, &matches),
        Parsed::Audit(Audit::Database(audit::Command::Verify(arguments))) => {
            on_database(DatabaseCommand::VerifyAudit(arguments), &matches)
        }
        Parsed::Audit(Audit::Remote(command)) => Command::Remote(remote::Command::Audit(command)),
        Parsed::Remote(command) => Command::Remote(command),
        Parsed::Generate(command) => Command::Generate(command),
    }))
}

/// The definition of the whole command line.
pub(crate) fn definition() -> clap::Command {
    Cli::command()
}

/// The command that the arguments of the process select, such as `prokura audit list`.
fn command_path() -> String {
    let mut path = "prokura".to_owned();
    let mut command = definition();
    for name in std::env::args().skip(1) {
        let Some(subcommand) = command.find_subcommand(&name) else {
            break;
        };
        path = format!("{path} {name}");
        command = subcommand.clone();
    }
    path
}

fn on_database(mut command: DatabaseCommand, matches: &ArgMatches) -> Command {
    command.options().from_environment = from_environment(matches);
    Command::Database(command)
}

/// An empty environment variable counts as unset.
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

/// The IDs of the arguments of the innermost command whose value came from the environment.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        definition().debug_assert();
    }
}
