//! `prokura organizations list`. It changes nothing.

use prokura_server::store::SqliteAccess;

use super::listed_organization::{Organization, print_all};
use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
    remote::print,
};

/// The arguments of `prokura organizations list`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    output: print::Options,

    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  prokura organizations list
  prokura organizations list --output json";

/// Prints the organizations.
pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let store = authority::open_current_store(config, SqliteAccess::Inspection).await?;
    let organizations = store.list_organizations().await?.into_iter();
    let organizations = organizations.map(Organization::from).collect::<Vec<_>>();
    print_all(arguments.output.format(), &organizations)
}
