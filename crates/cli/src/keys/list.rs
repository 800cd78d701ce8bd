//! `prokura keys list`. It changes nothing.

use prokura_server::{
    authority::{Clock as _, SystemClock},
    store::{SqliteAccess, Store},
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

/// Checks that the database has the schema of this version.
pub(super) async fn check_schema(store: &Store) -> Result<(), Failure> {
    let (found, known) = store.schema_version().await?;
    if found == Some(known) {
        return Ok(());
    }
    Err(
        Failure::new("the database has the schema of an older version of Prokura")
            .hint("`prokura serve` upgrades it"),
    )
}

/// Prints the keys.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let store = authority::open_existing_store(config, SqliteAccess::Inspection).await?;
    check_schema(&store).await?;
    let keys = store.signing_keys().await?;
    let now = SystemClock.now()?;
    let listed = keys.keys.iter();
    let listed = listed.map(|key| ListedKey::new(key, &keys, now));
    listed_key::print(arguments.output.format(), &listed.collect::<Vec<_>>())
}
