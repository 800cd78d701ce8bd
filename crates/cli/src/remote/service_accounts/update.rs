//! `prokura service-accounts update`.

use super::account::Account;
use crate::remote::{
    error::CommandError,
    print,
    remote_command::Execute,
    rows,
    target::Target,
    values::{label, scopes, seconds},
};

/// The arguments of `prokura service-accounts update`.
#[derive(clap::Args)]
#[command(override_usage = "prokura service-accounts update [OPTIONS] <ID>", after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    #[command(flatten)]
    changes: Changes,

    #[command(flatten)]
    output: print::Options,
}

/// The changes. Fields that are not given stay as they are.
#[derive(clap::Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// New name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// New description
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Remove the description
    #[arg(long, conflicts_with = "description")]
    clear_description: bool,

    /// Scope; replaces all scopes of the account; repeat for several, or separate them with spaces; '' removes all
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Option<Vec<String>>,

    /// New owner, such as a team or a person
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,

    /// Remove the owner
    #[arg(long, conflicts_with = "owner")]
    clear_owner: bool,

    /// Label to add, or to set to a new value; repeat for several
    #[arg(long = "label", value_name = "KEY:VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// Label to remove; repeat for several
    #[arg(long = "clear-label", value_name = "KEY")]
    cleared_labels: Vec<String>,

    /// Remove all labels
    #[arg(long, conflicts_with_all = ["labels", "cleared_labels"])]
    clear_labels: bool,

    /// Disable the account: it gets no tokens, and its existing tokens stop working
    #[arg(long, conflicts_with = "enable")]
    disable: bool,

    /// Enable the account again
    #[arg(long)]
    enable: bool,

    /// New lifetime of its access tokens, such as 15m; 60s to 1d
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    token_lifetime: Option<u32>,

    /// Use the token lifetime of the resource
    #[arg(long, conflicts_with = "token_lifetime")]
    clear_token_lifetime: bool,

    /// New time at which the account expires, such as 2027-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,

    /// Remove the expiry
    #[arg(long, conflicts_with = "expires_at")]
    clear_expires_at: bool,
}

const EXAMPLES: &str = "\
Examples:
  prokura service-accounts update ID --owner \"Platform team\" --label tier:1
  prokura service-accounts update ID --disable";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let changes = self.changes;
        let mut update = target.client.update_service_account(&self.account.id);
        if let Some(name) = changes.name {
            update = update.name(name);
        }
        if let Some(text) = changes.description {
            update = update.description(text);
        }
        if changes.clear_description {
            update = update.clear_description();
        }
        if let Some(given) = changes.scopes {
            update = update.scopes(scopes(&given));
        }
        if let Some(owner) = changes.owner {
            update = update.owner(owner);
        }
        if changes.clear_owner {
            update = update.clear_owner();
        }
        if changes.clear_labels {
            update = update.clear_labels();
        }
        for key in changes.cleared_labels {
            update = update.clear_label(key);
        }
        for (key, value) in changes.labels {
            update = update.label(key, value);
        }
        if changes.disable || changes.enable {
            update = update.disabled(changes.disable);
        }
        if let Some(seconds) = changes.token_lifetime {
            update = update.token_lifetime_seconds(seconds);
        }
        if changes.clear_token_lifetime {
            update = update.clear_token_lifetime_seconds();
        }
        if let Some(instant) = changes.expires_at {
            update = update.expires_at(instant);
        }
        if changes.clear_expires_at {
            update = update.clear_expires_at();
        }
        let updated = update.await?.value;
        print::one(
            self.output.format(),
            &updated,
            &rows::account(&updated.service_account),
        )?;
        Ok(())
    }
}
