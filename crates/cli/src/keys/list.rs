//! `prokura keys list`. It changes nothing.

use prokura_server::{
    authority::{Clock as _, SystemClock},
    store::SqliteAccess,
};

use super::listed_key::{self, ListedKey};
use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
    remote::print,
};

/// The arguments of `prokura keys list`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    output: print::Options,

    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) const EXAMPLES: &str = "\
The states of a key, in their order:

  published  every node publishes it; it does not sign yet
  signing    it signs the tokens of its algorithm
  retired    another key signs; it is published until its last token has expired, then deleted
  revoked    it leaked; it is not published, and its tokens are inactive

Examples:
  prokura keys list
  prokura keys list --output json";

/// Prints the keys.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let store = authority::open_current_store(config, SqliteAccess::Inspection).await?;
    let keys = store.signing_keys().await?;
    let now = SystemClock.now()?;
    let listed = keys.keys.iter();
    let listed = listed.map(|key| ListedKey::new(key, &keys, now));
    listed_key::print(arguments.output.format(), &listed.collect::<Vec<_>>())
}
