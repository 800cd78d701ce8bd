//! `prokura organizations rename`.

use prokura_server::{domain::Name, store::SqliteAccess};

use super::listed_organization::{name, print_done};
use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
    remote::print,
};

/// The arguments of `prokura organizations rename`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Organization: its name or its ID
    organization: String,

    /// New name of the organization
    #[arg(value_parser = name)]
    name: Name,

    #[command(flatten)]
    output: print::Options,

    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  prokura organizations rename Example \"Example Ltd\"";

/// Renames the organization.
pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let authority = authority::open_existing(config, SqliteAccess::Command).await?;
    let organization = authority.find_organization(&arguments.organization).await?;
    let renamed = authority
        .rename_organization(&organization, &arguments.name)
        .await?;
    print_done(
        arguments.output.format(),
        "Renamed the organization to",
        &renamed.into(),
    )
}
