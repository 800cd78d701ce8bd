//! `prokura service-accounts update`.

use super::{Account, fields};
use crate::remote::{Ask, Trouble, print, target::Target};

/// Arguments of `prokura service-accounts update`.
#[derive(clap::Args)]
#[command(override_usage = "prokura service-accounts update [OPTIONS] <ID>", after_help = EXAMPLE)]
#[command(group = fields::any_change())]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    changes: fields::Changes,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLE: &str = "\
Settings without a flag stay as they are.

Examples:
  prokura service-accounts update ID --owner \"Platform team\" --label tier:1
  prokura service-accounts update ID --disable";

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
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
