//! `prokura service-accounts usage`.

use super::account::Account;
use crate::remote::{error::CommandError, print, remote_command::Execute, target::Target};

/// The arguments of `prokura service-accounts usage`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    /// Number of days, including today, 1 to 90 [default: 30]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=90))]
    days: Option<u32>,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLES: &str = "\
Examples:
  prokura service-accounts usage ID
  prokura service-accounts usage ID --days 90 --output json";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let mut get = target.client.get_usage(&self.account.id);
        if let Some(days) = self.days {
            get = get.days(days);
        }
        let usage = get.await?;
        print::page(self.output.format(), &usage.items, None, &usage)?;
        Ok(())
    }
}
