//! `prokura service-accounts create`.

use super::fields::Settings;
use crate::remote::{Ask, Trouble, new_secret, target::Target};

/// Arguments of `prokura service-accounts create`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    /// Display name of the account
    name: String,

    #[command(flatten)]
    settings: Settings,

    #[command(flatten)]
    secret: new_secret::Options,
}

const EXAMPLE: &str = "\
Examples:
  prokura service-accounts create \"CI Pipeline\" --description \"Used by GitHub Actions\"
  prokura service-accounts create Shop --scope orders:read --secret-file shop.secret";

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        let place = self.secret.prepare()?;
        let create = target.client.create_service_account(self.name);
        let created = create.settings(self.settings.into()).await?.value;
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
