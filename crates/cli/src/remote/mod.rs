//! The commands that ask a running server. Where the server is and who asks is [`target`]'s to find out; what is answered is
//! printed by [`print`]; what went wrong is explained by [`explain`].

pub(crate) mod audit;
mod confirm;
mod exec;
mod explain;
mod introspect;
mod new_secret;
mod print;
mod profile;
mod profiles;
mod revoke;
mod rows;
mod service_accounts;
mod target;
mod token;
mod token_cache;
mod values;

use anyhow::Context as _;

use crate::Failure;
use target::Target;

/// What can be asked of a server.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Create, list, change, rotate and delete service accounts
    #[command(subcommand, arg_required_else_help = false)]
    ServiceAccounts(service_accounts::Command),

    /// Print an access token
    Token(Asking<token::Arguments>),

    /// Ask whether an access token lives, and what it says
    Introspect(Asking<introspect::Arguments>),

    /// End an access token of your own before its time
    Revoke(Asking<revoke::Arguments>),

    /// Run a command with a fresh access token in its environment, as PROKURA_ACCESS_TOKEN
    ///
    /// The command takes the place of prokura, so its exit code is the exit code. Where there is no such command, that is
    /// 127, and 126 where it cannot be run. The command does not get PROKURA_CLIENT_SECRET. The token is new and is not kept.
    Exec(Asking<exec::Arguments>),

    /// Keep where servers are, and as whom to ask them
    #[command(subcommand, arg_required_else_help = false)]
    Profile(profile::Command),

    /// `prokura audit list` and `export`.
    #[command(skip)]
    Audit(audit::Command),
}

/// Does what is asked for.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        match command {
            Command::ServiceAccounts(command) => command.run().await,
            Command::Token(command) => command.run().await,
            Command::Introspect(command) => command.run().await,
            Command::Revoke(command) => command.run().await,
            Command::Exec(command) => command.run().await,
            Command::Profile(command) => profile::run(command),
            Command::Audit(command) => command.run().await,
        }
    })
}

/// A command that asks a server: its own arguments, and those that all such commands have.
#[derive(clap::Args)]
pub(crate) struct Asking<A: clap::Args> {
    #[command(flatten)]
    arguments: A,

    /// Tell the causes of an error too, and the id under which the server's log has the request
    #[arg(long, short)]
    verbose: bool,

    #[command(flatten)]
    target: target::Options,
}

/// What a command does once it is known whom to ask.
pub(crate) trait Ask {
    async fn ask(self, target: &Target) -> Result<(), Trouble>;
}

impl<A: clap::Args + Ask> Asking<A> {
    async fn run(self) -> Result<(), Failure> {
        let target = self.target.resolve()?;
        let asked = self.arguments.ask(&target).await;
        asked.map_err(|trouble| match trouble {
            Trouble::There(error) => explain::failure(&error, &target, self.verbose),
            Trouble::Here(failure) => failure,
        })
    }
}

/// Why a command that asks a server fails.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server refused, or did not answer.
    There(prokura_client::Error),
    /// It has nothing to do with the server.
    Here(Failure),
}

impl From<prokura_client::Error> for Trouble {
    fn from(error: prokura_client::Error) -> Self {
        Self::There(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Here(failure)
    }
}
