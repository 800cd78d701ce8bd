//! `prokura service-accounts create`.

use clap::ArgGroup;
use prokura_client::wire::UpdateServiceAccount;

use super::fields::Settings;
use crate::remote::{error::CommandError, new_secret, remote_command::Execute, target::Target};

/// The arguments of `prokura service-accounts create`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("rights").args(["scopes", "administrator"]).required(true))]
pub(crate) struct Arguments {
    /// Name of the service account
    name: String,

    /// Grant all permissions in the organization: the scope management:all
    #[arg(long)]
    administrator: bool,

    #[command(flatten)]
    settings: Settings,

    #[command(flatten)]
    secret: new_secret::Options,
}

/// The scope that includes every scope of the management API.
const ADMINISTRATOR: &str = "management:all";

const EXAMPLES: &str = "\
Examples:
  prokura service-accounts create Shop --scope orders:read --secret-file shop.secret
  prokura service-accounts create \"Token checker\" --scope tokens:introspect
  prokura service-accounts create Terraform --administrator";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let place = self.secret.prepare()?;
        let create = target.client.create_service_account(self.name);
        let mut settings = UpdateServiceAccount::from(self.settings);
        if self.administrator {
            settings.scopes = Some(vec![ADMINISTRATOR.to_owned()]);
        }
        let created = create.settings(settings).await?.value;
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
