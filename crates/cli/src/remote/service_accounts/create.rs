//! `prokura service-accounts create`.

use super::fields::Settings;
use crate::remote::{error::CommandError, new_secret, remote_command::Execute, target::Target};

/// The arguments of `prokura service-accounts create`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Name of the service account
    name: String,

    #[command(flatten)]
    settings: Settings,

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
