//! `prokura service-accounts rotate-secret`.

use super::account::Account;
use crate::remote::{
    error::CommandError, new_secret, profile_rotation, remote_command::Execute, target::Target,
    values::seconds,
};

/// The arguments of `prokura service-accounts rotate-secret`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    account: Account,

    /// Grace period during which the old secrets stay valid, such as 24h [default: none]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    grace: Option<u32>,

    /// Lifetime of the new secret, such as 90d [default: it does not expire]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    expires_in: Option<u32>,

    /// Revoke all access tokens of the account too
    #[arg(long)]
    revoke_tokens: bool,

    #[command(flatten)]
    secret: new_secret::Options,
}

const EXAMPLES: &str = "\
If the account is the one of the profile in use, the command updates the secret in the profile.

Examples:
  prokura service-accounts rotate-secret ID
  prokura service-accounts rotate-secret ID --grace 24h --secret-file ci.secret";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
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
        let kept = profile_rotation::keep_new_secret(target, &rotated.credentials);
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
