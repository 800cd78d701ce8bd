//! `prokura service-accounts list`.

use crate::remote::{Ask, Trouble, print, target::Target, values::label};

/// What `prokura service-accounts list` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    /// Only those with this in their name, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// Only those with this label; repeat it for those with several
    #[arg(long = "label", value_name = "KEY:VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// Only those of this owner
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,

    /// Only those that are disabled
    #[arg(long, conflicts_with = "enabled")]
    disabled: bool,

    /// Only those that are not disabled
    #[arg(long)]
    enabled: bool,

    /// Only those that got no token for so many days
    #[arg(long, value_name = "NUMBER")]
    unused_for_days: Option<u32>,

    /// Only those with a secret that expires within so many days
    #[arg(long, value_name = "NUMBER")]
    secret_expires_within_days: Option<u32>,

    #[command(flatten)]
    page: print::Page,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLE: &str = "\
Filters can be combined; an account must pass them all.

Examples:
  prokura service-accounts list --unused-for-days 90
  prokura service-accounts list --label team:platform --output ndjson | jq -r .id";

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
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
        if !self.page.is_asked_for() {
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
