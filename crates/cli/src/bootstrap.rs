//! `prokura bootstrap`.

use std::io::{self, Write as _};

use prokura_server::{domain::Name, store::SqliteAccess};
use tracing::warn;

use crate::{
    authority,
    config::{Config, Options},
    credentials_file::Credentials,
    failure::Failure,
};

/// The arguments of `prokura bootstrap`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Name of the new organization
    #[arg(long, value_name = "NAME", value_parser = name)]
    organization: Name,

    /// Name of its service account
    #[arg(long, value_name = "NAME", value_parser = name)]
    service_account: Name,

    /// Print the credentials as JSON, in the format of bootstrap.json
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pub(crate) options: Options,
}

fn name(text: &str) -> Result<Name, prokura_server::domain::InvalidText> {
    Name::parse(text.to_owned())
}

/// Creates the organization and its account, then prints the credentials.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let url = config.public_url(config.listen).to_string();
    if config.public_url.is_none() && config.listen.port() == 0 {
        warn!(
            url,
            "the printed URL has no usable port, because --listen has port 0; set --public-url"
        );
    }
    let authority = authority::open(config, config.listen, SqliteAccess::Command).await?;
    let organization = arguments.organization.as_str().to_owned();
    let account = arguments.service_account.as_str().to_owned();
    let plan = authority.plan_bootstrap(arguments.organization, arguments.service_account)?;
    authority.bootstrap_another(&plan).await?;

    let credentials = Credentials::new(url, &plan);
    let text = if arguments.json {
        credentials.to_json()?
    } else {
        human(&organization, &account, &credentials)
    };
    print(&text).map_err(|error| {
        Failure::new(format!(
            "created the organization {organization:?}, but could not print its credentials: {error}"
        ))
        .hint("the secret is lost; run the command again with another --organization name")
    })
}

fn human(organization: &str, account: &str, credentials: &Credentials) -> String {
    let Credentials {
        url,
        organization_id,
        service_account_id,
        client_id,
        client_secret,
    } = credentials;
    format!(
        "\
Created the organization \"{organization}\" and the service account \"{account}\", which has all permissions.
Store the client secret in a safe place. It is not shown again.

URL              {url}
Organization     {organization_id}
Service account  {service_account_id}
Client ID        {client_id}
Client secret    {client_secret}
"
    )
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
