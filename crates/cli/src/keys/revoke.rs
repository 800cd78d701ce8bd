//! `prokura keys revoke`.

use prokura_server::store::SqliteAccess;

use super::listed_key::{self, ListedKey};
use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
    key_steps,
    remote::{
        confirm,
        print::{self, Format},
    },
};

/// The arguments of `prokura keys revoke`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Key ID of the signing key: the `kid` in the header of its tokens
    #[arg(allow_hyphen_values = true)]
    kid: String,

    #[command(flatten)]
    confirm: confirm::Options,

    #[command(flatten)]
    output: print::Options,

    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) const EXAMPLES: &str = "\
This cannot be undone. Clients whose token was signed with the key must request a new one. If nothing has leaked, use
`prokura keys rotate`, which ends no token.

Examples:
  prokura keys revoke KID
  prokura keys revoke KID --yes --output json";

/// Revokes the key, and prints it and the key that signs in its place.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let kid = &*arguments.kid;
    let must_ask = arguments.confirm.must_ask()?;
    let authority = authority::open(config, config.listen, SqliteAccess::Command).await?;
    if must_ask {
        confirm::ask(&format!(
            "Revoke the signing key {kid}? Every token that it signed stops working at once. This cannot be undone."
        ))?;
    }
    let done = authority.revoke_signing_key(kid).await?;
    key_steps::log(&done);

    let (keys, now) = authority.list_signing_keys().await?;
    let revoked = keys.keys.iter().find(|key| key.id == kid);
    let signer = revoked.and_then(|key| keys.signing(key.algorithm, now));
    let listed = [revoked, signer].into_iter().flatten();
    let listed = listed.map(|key| ListedKey::new(key, &keys, now));
    let listed = listed.collect::<Vec<_>>();
    match arguments.output.format() {
        Format::Table => {
            print::note(&format!("Revoked the signing key {kid}."));
            let others = listed.iter().filter(|key| !key.is(kid));
            others
                .into_iter()
                .try_for_each(|key| print::say(&key.sentence()))
        }
        format => listed_key::print(format, &listed),
    }
}
