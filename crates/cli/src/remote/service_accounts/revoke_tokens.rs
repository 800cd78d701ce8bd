//! `prokura service-accounts revoke-tokens`.

use super::Account;
use crate::remote::{Ask, Trouble, print, target::Target};

/// What `prokura service-accounts revoke-tokens` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,
}

const EXAMPLE: &str = "\
Its secrets live on, so it can get new tokens at once. An API that checks JWTs without asking the server does not hear of it.";

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        target.client.revoke_tokens(&self.account.id).await?;
        print::note(&format!("Ended every token of {}.", self.account.id));
        Ok(())
    }
}
