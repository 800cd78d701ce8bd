//! `prokura service-accounts get`.

use super::{account::Account, fields};
use crate::remote::{error::CommandError, print, remote_command::Execute, target::Target};

/// The arguments of `prokura service-accounts get`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLES: &str = "\
Examples:
  prokura service-accounts get ID
  prokura service-accounts get ID --output json | jq -r .serviceAccount.scopes[]";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let found = target
            .client
            .get_service_account(&self.account.id)
            .await?
            .value;
        print::one(
            self.output.format(),
            &found,
            &fields::lines(&found.service_account),
        )?;
        Ok(())
    }
}
