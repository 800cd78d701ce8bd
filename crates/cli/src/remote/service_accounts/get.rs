//! `prokura service-accounts get`.

use super::{Account, fields};
use crate::remote::{Ask, Trouble, print, target::Target};

/// What `prokura service-accounts get` is asked.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    output: print::Options,
}

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
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
