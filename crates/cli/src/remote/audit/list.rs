//! `prokura audit list`.

use crate::remote::{Ask, Trouble, print, target::Target, values::account_id};

/// What `prokura audit list` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    /// Only what is about this service account
    #[arg(long, value_name = "ID", value_parser = account_id)]
    service_account: Option<String>,

    /// Only events of this kind, such as rotate_secret
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,

    /// Only what this one did: the id of a service account, `operator` for whoever runs the server, or `unauthenticated` for
    /// whoever did not prove who he is
    #[arg(long, value_name = "ID")]
    actor: Option<String>,

    /// Only events from this instant on, such as 2026-11-23T12:00:00Z
    #[arg(long, value_name = "INSTANT")]
    since: Option<String>,

    /// Only events before this instant
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,

    #[command(flatten)]
    page: print::Page,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLE: &str = "\
It needs the scope management:audit:read.

Examples:
  prokura audit list --action refuse_login --service-account ID
  prokura audit list --output ndjson | jq -r .actor | sort | uniq -c";

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        let mut list = target.client.list_audit_events();
        if let Some(id) = self.service_account {
            list = list.service_account_id(id);
        }
        if let Some(action) = self.action {
            list = list.action(action);
        }
        if let Some(actor) = self.actor {
            list = list.actor(actor);
        }
        if let Some(since) = self.since {
            list = list.since(since);
        }
        if let Some(until) = self.until {
            list = list.until(until);
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
