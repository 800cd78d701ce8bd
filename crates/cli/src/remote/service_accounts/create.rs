//! `prokura service-accounts create`.

use crate::remote::{
    error::CommandError,
    new_secret,
    remote_command::Execute,
    target::Target,
    values::{label, scopes, seconds},
};

/// The arguments of `prokura service-accounts create`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Name of the service account
    name: String,

    /// Description of the service account
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Scope to grant; repeat for several, or separate them with spaces; '' grants none [default: the management scopes
    /// of your own account]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Option<Vec<String>>,

    /// Owner, such as a team or a person
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,

    /// Label; repeat for several
    #[arg(long = "label", value_name = "KEY:VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// Lifetime of its access tokens, such as 15m; 60s to 1d [default: that of the resource]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    token_lifetime: Option<u32>,

    /// Time at which the account expires, such as 2027-01-01T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,

    #[command(flatten)]
    secret: new_secret::Options,
}

const EXAMPLES: &str = "\
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
