//! `prokura service-accounts revoke-tokens`.

use super::Account;
use crate::remote::{Ask, Trouble, print, target::Target};

/// Arguments of `prokura service-accounts revoke-tokens`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,
}

const EXAMPLE: &str = "\
The account's secrets keep working, so it can get new tokens at once. An API that verifies JWTs without introspection accepts
them until they expire.";

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        target.client.revoke_tokens(&self.account.id).await?;
        print::note(&format!(
            "Revoked every token of the service account {}.",
            self.account.id
        ));
        Ok(())
    }
}
