//! `prokura revoke`.

use super::{
    error::CommandError, introspect::Token, print, remote_command::Execute, target::Target,
};

/// The arguments of `prokura revoke`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    token: Token,
}

const EXAMPLES: &str = "\
A token that is inactive, or that belongs to another account, is ignored; the exit code is 0. To revoke all tokens of an account, use `prokura service-accounts revoke-tokens`.

Examples:
  prokura token | prokura revoke";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let token = self.token.read()?;
        target.client.revoke_token(token.expose()).await?;
        print::note("Revoked the token, if it belongs to this service account.");
        Ok(())
    }
}
