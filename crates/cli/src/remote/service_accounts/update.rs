//! `prokura service-accounts update`.

use super::{account::Account, fields};
use crate::remote::{error::CommandError, print, remote_command::Execute, target::Target};

/// The arguments of `prokura service-accounts update`.
#[derive(clap::Args)]
#[command(override_usage = "prokura service-accounts update [OPTIONS] <ID>", after_help = EXAMPLES)]
#[command(group = fields::any_change())]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    changes: fields::Changes,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLES: &str = "\
Fields that are not given stay as they are.

Examples:
  prokura service-accounts update ID --owner \"Platform team\" --label tier:1
  prokura service-accounts update ID --disable";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let update = target.client.update_service_account(&self.account.id);
        let updated = update.settings(self.changes.into()).await?.value;
        print::one(
            self.output.format(),
            &updated,
            &fields::lines(&updated.service_account),
        )?;
        Ok(())
    }
}
