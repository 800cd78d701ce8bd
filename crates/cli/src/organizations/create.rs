//! `prokura organizations create`.

use prokura_server::{domain::Name, store::SqliteAccess};

use super::{
    listed_organization::{Organization, name},
    new_administrator,
};
use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
    remote::new_secret,
};

/// The arguments of `prokura organizations create`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Name of the new organization
    #[arg(value_parser = name)]
    name: Name,

    /// Name of its administrator, a service account with all permissions
    #[arg(long, value_name = "NAME", value_parser = name, default_value = "Administrator")]
    service_account: Name,

    #[command(flatten)]
    secret: new_secret::Options,

    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  prokura organizations create Example
  prokura organizations create Example --secret-file example.secret
  prokura organizations create Example --service-account Terraform --output json";

/// Creates the organization and its administrator, then prints the credentials.
pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let place = arguments.secret.prepare()?;
    let authority = authority::open(config, config.listen, SqliteAccess::Command).await?;
    let name = arguments.name.as_str().to_owned();
    let plan = authority.plan_bootstrap(arguments.name, arguments.service_account)?;
    authority.bootstrap_another(&plan).await?;
    let id = plan.organization_id().to_string();
    let organization = authority.find_organization(&id).await?;
    new_administrator::show(
        place,
        Organization::from(organization),
        plan.issued(),
        &format!("Created the organization {name:?} with an administrator"),
    )
}
