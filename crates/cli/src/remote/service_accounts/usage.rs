//! `prokura service-accounts usage`.

use super::Account;
use crate::remote::{Ask, Trouble, print, target::Target};

/// What `prokura service-accounts usage` is asked.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    /// How many days, today included: 1 to 90
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=90))]
    days: Option<u32>,

    #[command(flatten)]
    output: print::Options,
}

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        let mut get = target.client.get_usage(&self.account.id);
        if let Some(days) = self.days {
            get = get.days(days);
        }
        let usage = get.await?;
        print::page(self.output.format(), &usage.items, None, &usage)?;
        Ok(())
    }
}
