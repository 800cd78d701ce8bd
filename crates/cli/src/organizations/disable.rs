//! `prokura organizations disable`.

use prokura_server::store::SqliteAccess;

use super::listed_organization::print_done;
use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
    remote::print,
};

/// The arguments of `prokura organizations disable`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Organization: its name or its ID
    organization: String,

    #[command(flatten)]
    output: print::Options,

    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  prokura organizations disable Example
  prokura organizations disable 019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47 --output json";

/// Disables the organization.
pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let authority = authority::open_existing(config, SqliteAccess::Command).await?;
    let organization = authority.find_organization(&arguments.organization).await?;
    let changed = authority.disable_organization(&organization).await?;
    print_done(
        arguments.output.format(),
        "Disabled the organization",
        &changed.into(),
    )
}
