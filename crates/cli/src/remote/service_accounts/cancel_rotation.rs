//! `prokura service-accounts cancel-rotation`.

use super::{Account, fields};
use crate::remote::{Ask, Trouble, print, target::Target};

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

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        let cancelled = target.client.cancel_rotation(&self.account.id).await?.value;
        print::one(
            self.output.format(),
            &cancelled,
            &fields::lines(&cancelled.service_account),
        )?;
        Ok(())
    }
}
