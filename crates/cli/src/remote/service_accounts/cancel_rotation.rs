//! `prokura service-accounts cancel-rotation`.

use super::account::Account;
use crate::remote::{error::CommandError, print, remote_command::Execute, rows, target::Target};

/// What `prokura service-accounts cancel-rotation` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLE: &str = "\
The secret that the rotation made ends at once, and those that were to retire live on as before.";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let cancelled = target.client.cancel_rotation(&self.account.id).await?.value;
        print::one(
            self.output.format(),
            &cancelled,
            &rows::account(&cancelled.service_account),
        )?;
        Ok(())
    }
}
