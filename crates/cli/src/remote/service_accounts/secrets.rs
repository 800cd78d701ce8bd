//! `prokura service-accounts secrets`.

use super::account::Account;
use crate::{
    failure::Failure,
    remote::{
        confirm,
        error::CommandError,
        new_secret, print,
        remote_command::{Execute, Remote},
        target::Target,
        values::seconds,
    },
};

/// The examples of `prokura service-accounts secrets --help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  prokura service-accounts secrets list ID
  prokura service-accounts secrets add ID --expires-in 90d --secret-file next.secret
  prokura service-accounts secrets delete ID SECRET_ID";

/// The subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the secrets of a service account, newest first; secret values are not shown
    List(Remote<List>),

    /// Add a secret to a service account, and print it once
    Add(Remote<Add>),

    /// Delete a secret of a service account
    Delete(Remote<Delete>),
}

impl Command {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run().await,
            Self::Add(command) => command.run().await,
            Self::Delete(command) => command.run().await,
        }
    }
}

/// The arguments of `secrets list`.
#[derive(clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    output: print::Options,
}

impl Execute for List {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let list = target.client.list_secrets(&self.account.id).await?;
        print::page(self.output.format(), &list.items, None, &list)?;
        Ok(())
    }
}

/// The arguments of `secrets add`.
#[derive(clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    account: Account,

    /// Lifetime of the secret, such as 90d [default: it does not expire]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    expires_in: Option<u32>,

    #[command(flatten)]
    secret: new_secret::Options,
}

impl Execute for Add {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let place = self.secret.prepare()?;
        let mut add = target.client.add_secret(&self.account.id);
        if let Some(seconds) = self.expires_in {
            add = add.expires_in_seconds(seconds);
        }
        let added = add.await?;
        place.show(
            &added,
            &added.credentials,
            "Added a secret",
            &added.secret.id,
            &format!("prokura service-accounts secrets add {}", self.account.id),
        )?;
        Ok(())
    }
}

/// The arguments of `secrets delete`.
#[derive(clap::Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    account: Account,

    /// ID of the secret, a UUID; `secrets list` shows it
    #[arg(value_name = "SECRET_ID")]
    secret_id: String,

    #[command(flatten)]
    confirm: confirm::Options,
}

impl Execute for Delete {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let (account, secret) = (&self.account.id, &self.secret_id);
        if self.confirm.must_ask()? {
            confirm::ask(&format!(
                "Delete the secret {secret}? Clients that use it get no more tokens."
            ))?;
        }
        target.client.delete_secret(account, secret).await?;
        print::note(&format!("Deleted the secret {secret}."));
        Ok(())
    }
}
