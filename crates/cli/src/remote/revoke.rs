//! `prokura revoke`.

use super::{Ask, Trouble, introspect::Token, print, target::Target};

/// What `prokura revoke` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    token: Token,
}

const EXAMPLE: &str = "\
A token that does not live any more, or that is not this account's own, is no failure; nothing happens to it. All tokens of an
account are ended by `prokura service-accounts revoke-tokens`.

Example: prokura token | prokura revoke";

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        let token = self.token.read()?;
        target.client.revoke_token(token.expose()).await?;
        print::note("If it was a token of this service account, it has ended.");
        Ok(())
    }
}
