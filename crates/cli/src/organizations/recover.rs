//! `prokura recover`: a new administrator for an organization that has lost its own.

use prokura_server::{
    authority::{Clock as _, SystemClock},
    domain::Name,
    store::SqliteAccess,
};

use super::{
    listed_organization::{Organization, name},
    new_administrator,
};
use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
    remote::{new_secret, print},
};

/// The arguments of `prokura recover`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Organization that gets a new administrator: its name or its ID
    #[arg(long, value_name = "NAME")]
    organization: String,

    /// Name of the new service account [default: Recovery and today's date]
    #[arg(long, value_name = "NAME", value_parser = name)]
    service_account: Option<Name>,

    #[command(flatten)]
    secret: new_secret::Options,

    #[command(flatten)]
    pub(crate) options: Options,
}

pub(crate) const EXAMPLES: &str = "\
The command uses the database. Servers may be running. It changes no other account, and its audit event has the actor
`operator`.

Examples:
  prokura recover --organization Example
  prokura recover --organization Example --secret-file recovery.secret";

/// Creates the account and prints its credentials.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let place = arguments.secret.prepare()?;
    let authority = authority::open_existing(config, SqliteAccess::Command).await?;
    let organization = authority.find_organization(&arguments.organization).await?;
    let name = match arguments.service_account {
        Some(name) => name,
        None => {
            let now = SystemClock.now()?.to_string();
            let date = now.split('T').next().unwrap_or_default();
            Name::parse(format!("Recovery {date}"))?
        }
    };
    let issued = authority.recover_organization(&organization, name).await?;
    if organization.disabled_at.is_some() {
        print::note(&format!(
            "The organization is disabled, so the account cannot log in yet. Run `prokura organizations enable {}`.",
            organization.id
        ));
    }
    let done = format!(
        "Created the administrator {:?} in the organization {:?}",
        issued.account.name.as_str(),
        organization.name
    );
    new_administrator::show(place, Organization::from(organization), &issued, &done)
}
