//! `prokura service-accounts list`.

use crate::remote::{
    error::CommandError, print, remote_command::Execute, target::Target, values::label,
};

/// The arguments of `prokura service-accounts list`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Only accounts whose name contains this text; case is ignored
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// Only accounts with this label; repeat to require several labels
    #[arg(long = "label", value_name = "KEY:VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// Only accounts of this owner
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,

    /// Only disabled accounts
    #[arg(long, conflicts_with = "enabled")]
    disabled: bool,

    /// Only enabled accounts
    #[arg(long)]
    enabled: bool,

    /// Only accounts that got no token for this many days
    #[arg(long, value_name = "DAYS")]
    unused_for_days: Option<u32>,

    /// Only accounts with a secret that expires within this many days
    #[arg(long, value_name = "DAYS")]
    secret_expires_within_days: Option<u32>,

    #[command(flatten)]
    page: print::Page,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLES: &str = "\
An account must match all filters.

Examples:
  prokura service-accounts list --name deploy
  prokura service-accounts list --unused-for-days 90
  prokura service-accounts list --label team:platform --output ndjson | jq -r .id";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let mut list = target.client.list_service_accounts();
        if let Some(name) = self.name {
            list = list.name(name);
        }
        for (key, value) in &self.labels {
            list = list.label(key, value);
        }
        if let Some(owner) = self.owner {
            list = list.owner(owner);
        }
        if self.disabled || self.enabled {
            list = list.disabled(self.disabled);
        }
        if let Some(days) = self.unused_for_days {
            list = list.unused_for_days(days);
        }
        if let Some(days) = self.secret_expires_within_days {
            list = list.secret_expires_within_days(days);
        }
        let format = self.output.format();
        if !self.page.is_requested() {
            return print::all(format, list.stream()).await;
        }
        if let Some(limit) = self.page.limit {
            list = list.limit(limit);
        }
        if let Some(cursor) = self.page.cursor {
            list = list.cursor(cursor);
        }
        let page = list.await?;
        print::page(format, &page.items, page.next_cursor.as_deref(), &page)?;
        Ok(())
    }
}
