//! `prokura service-accounts revoke-tokens`.

use super::account::Account;
use crate::remote::{error::CommandError, print, remote_command::Execute, target::Target};

/// The arguments of `prokura service-accounts revoke-tokens`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,
}

const EXAMPLES: &str = "\
The secrets stay valid, so the account can get new tokens at once. An API that verifies JWTs offline accepts a revoked JWT until it expires.

Examples:
  prokura service-accounts revoke-tokens ID";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        target.client.revoke_tokens(&self.account.id).await?;
        print::note(&format!("Revoked all tokens of {}.", self.account.id));
        Ok(())
    }
}
