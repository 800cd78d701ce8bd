//! `prokura service-accounts secrets`.

use super::Account;
use crate::{
    Failure,
    remote::{Ask, Asking, Trouble, confirm, new_secret, print, target::Target, values::seconds},
};

/// What can be done with the secrets of an account.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List them, newest first, without the secrets themselves
    List(Asking<List>),

    /// Add one beside those that live, and show it this once
    Add(Asking<Add>),

    /// End one at once
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

/// What `list` is asked.
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

/// What `add` is asked.
#[derive(clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    account: Account,

    /// How long it is to live, such as 90d [default: it does not expire]
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

/// What `delete` is asked.
#[derive(clap::Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    account: Account,

    /// The secret's id, a UUID, as `secrets list` shows it
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
                "End the secret {secret}? Whoever uses it gets no more tokens."
            ))?;
        }
        target.client.delete_secret(account, secret).await?;
        print::note(&format!("Ended the secret {secret}."));
        Ok(())
    }
}
