//! `prokura service-accounts create`.

use crate::remote::{
    error::CommandError,
    new_secret,
    remote_command::Execute,
    target::Target,
    values::{label, scopes, seconds},
};

/// What `prokura service-accounts create` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    /// Its display name
    name: String,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// A scope that it may ask for; repeat it, or separate several with spaces; '' for none at all [default: the management
    /// scopes of your own account]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Option<Vec<String>>,

    /// Who answers for it
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,

    /// A label; repeat it for several
    #[arg(long = "label", value_name = "KEY:VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// How long its tokens live, such as 15m; from 60s to 1d [default: as long as those of the resource]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    token_lifetime: Option<u32>,

    /// When it ends by itself, such as 2027-01-01T00:00:00Z [default: never]
    #[arg(long, value_name = "INSTANT")]
    expires_at: Option<String>,

    #[command(flatten)]
    secret: new_secret::Options,
}

const EXAMPLE: &str = "\
Examples:
  prokura service-accounts create \"CI Pipeline\" --description \"Used by GitHub Actions\"
  prokura service-accounts create Shop --scope orders:read --secret-file shop.secret";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let place = self.secret.prepare()?;
        let mut create = target.client.create_service_account(self.name);
        if let Some(text) = self.description {
            create = create.description(text);
        }
        if let Some(given) = self.scopes {
            create = create.scopes(scopes(&given));
        }
        if let Some(owner) = self.owner {
            create = create.owner(owner);
        }
        for (key, value) in self.labels {
            create = create.label(key, value);
        }
        if let Some(seconds) = self.token_lifetime {
            create = create.token_lifetime_seconds(seconds);
        }
        if let Some(instant) = self.expires_at {
            create = create.expires_at(instant);
        }
        let created = create.await?.value;
        let account = &created.service_account;
        place.show(
            &created,
            &created.credentials,
            &format!("Created the service account {:?}", account.name),
            &account.id,
            &format!("prokura service-accounts rotate-secret {}", account.id),
        )?;
        Ok(())
    }
}
