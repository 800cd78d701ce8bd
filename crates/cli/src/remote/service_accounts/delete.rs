//! `prokura service-accounts delete`.

use super::Account;
use crate::remote::{Ask, Trouble, confirm, print, target::Target};

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

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
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
