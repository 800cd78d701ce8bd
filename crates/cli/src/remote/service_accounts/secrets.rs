//! `prokura service-accounts secrets`.

use super::Account;
use crate::{
    Failure,
    remote::{Ask, Asking, Trouble, confirm, new_secret, print, target::Target, values::seconds},
};

/// The commands for the secrets of an account.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the secrets of a service account, newest first, without the secret texts
    List(Asking<List>),

    /// Add a secret to a service account and show it once
    Add(Asking<Add>),

    /// Delete a secret of a service account; it stops working at once
    Delete(Asking<Delete>),
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

/// Arguments of `list`.
#[derive(clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    output: print::Options,
}

impl Ask for List {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        let list = target.client.list_secrets(&self.account.id).await?;
        print::page(self.output.format(), &list.items, None, &list)?;
        Ok(())
    }
}

/// Arguments of `add`.
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

impl Ask for Add {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
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

/// Arguments of `delete`.
#[derive(clap::Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    account: Account,

    /// Id of the secret, a UUID; `secrets list` shows it
    #[arg(value_name = "SECRET_ID")]
    secret_id: String,

    #[command(flatten)]
    confirm: confirm::Options,
}

impl Ask for Delete {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
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
