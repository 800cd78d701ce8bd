//! `prokura service-accounts delete`.

use super::account::Account;
use crate::remote::{confirm, error::CommandError, print, remote_command::Execute, target::Target};

/// What `prokura service-accounts delete` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    confirm: confirm::Options,
}

const EXAMPLE: &str = "\
To stop an account without losing it: `prokura service-accounts update ID --disable`.";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let id = &self.account.id;
        if self.confirm.must_ask()? {
            let found = target.client.get_service_account(id).await?;
            let name = &found.service_account.name;
            confirm::ask(&format!(
                "Delete the service account {name:?} ({id})? Its secrets and its tokens are dead at once, for good."
            ))?;
        }
        target.client.delete_service_account(id).await?;
        print::note(&format!("Deleted the service account {id}."));
        Ok(())
    }
}
