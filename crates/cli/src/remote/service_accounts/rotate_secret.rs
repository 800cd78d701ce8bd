//! `prokura service-accounts rotate-secret`.

use super::Account;
use crate::remote::{Ask, Trouble, new_secret, profiles, target::Target, values::seconds};

/// What `prokura service-accounts rotate-secret` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    /// How long the old secrets live on, such as 24h [default: they end at once]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    grace: Option<u32>,

    /// How long the new secret is to live, such as 90d [default: it does not expire]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    expires_in: Option<u32>,

    /// End the tokens issued so far as well
    #[arg(long)]
    revoke_tokens: bool,

    #[command(flatten)]
    secret: new_secret::Options,
}

const EXAMPLE: &str = "\
If it is the account of the profile in use, the profile gets the new secret too.

Examples:
  prokura service-accounts rotate-secret ID
  prokura service-accounts rotate-secret ID --grace 24h --secret-file ci.secret";

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        let place = self.secret.prepare()?;
        let mut rotate = target.client.rotate_secret(&self.account.id);
        if let Some(seconds) = self.grace {
            rotate = rotate.grace_period_seconds(seconds);
        }
        if let Some(seconds) = self.expires_in {
            rotate = rotate.expires_in_seconds(seconds);
        }
        if self.revoke_tokens {
            rotate = rotate.revoke_tokens();
        }
        let rotated = rotate.await?.value;
        let kept = profiles::keep_new_secret(target, &rotated.credentials);
        let account = &rotated.service_account;
        place.show(
            &rotated,
            &rotated.credentials,
            &format!(
                "Rotated the secret of the service account {:?}",
                account.name
            ),
            &account.id,
            &format!("prokura service-accounts rotate-secret {}", account.id),
        )?;
        kept?;
        Ok(())
    }
}
