//! `prokura service-accounts cancel-rotation`.

use super::{account::Account, fields};
use crate::remote::{error::CommandError, print, remote_command::Execute, target::Target};

/// The arguments of `prokura service-accounts cancel-rotation`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLES: &str = "\
The new secret stops working at once. The old secrets stay valid, as before the rotation.

Examples:
  prokura service-accounts cancel-rotation ID";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let cancelled = target.client.cancel_rotation(&self.account.id).await?.value;
        print::one(
            self.output.format(),
            &cancelled,
            &fields::lines(&cancelled.service_account),
        )?;
        Ok(())
    }
}
