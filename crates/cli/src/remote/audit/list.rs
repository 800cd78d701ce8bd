//! `prokura audit list`.

use crate::remote::{
    error::CommandError, print, remote_command::Execute, target::Target, values::account_id,
};

/// The arguments of `prokura audit list`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Only events about this service account
    #[arg(long, value_name = "ID", value_parser = account_id)]
    service_account: Option<String>,

    /// Only events with this action, such as rotate_secret
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,

    /// Only events by this actor: the ID of a service account, operator (the server or its command line), or
    /// unauthenticated (a rejected login)
    #[arg(long, value_name = "ID")]
    actor: Option<String>,

    /// Only events at or after this time, such as 2026-11-23T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Only events before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    #[command(flatten)]
    page: print::Page,

    #[command(flatten)]
    output: print::Options,
}

const EXAMPLES: &str = "\
Required scope: management:audit:read.

Examples:
  prokura audit list --action refuse_login --service-account ID
  prokura audit list --output ndjson | jq -r .actor | sort | uniq -c";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
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
