//! `prokura service-accounts delete`.

use super::account::Account;
use crate::remote::{confirm, error::CommandError, print, remote_command::Execute, target::Target};

/// The arguments of `prokura service-accounts delete`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    confirm: confirm::Options,
}

const EXAMPLES: &str = "\
This cannot be undone. To stop an account temporarily, use `prokura service-accounts update ID --disable`.

Examples:
  prokura service-accounts delete ID
  prokura service-accounts delete ID --yes";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let id = &self.account.id;
        if self.confirm.must_ask()? {
            let found = target.client.get_service_account(id).await?;
            let name = &found.service_account.name;
            confirm::ask(&format!(
                "Delete the service account {name:?} ({id})? Its secrets and tokens stop working at once. This cannot be undone."
            ))?;
        }
        target.client.delete_service_account(id).await?;
        print::note(&format!("Deleted the service account {id}."));
        Ok(())
    }
}
