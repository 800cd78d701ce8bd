//! `prokura bootstrap`.

use std::io::{self, Write as _};

use anyhow::Context as _;
use prokura_server::{domain::Name, store::SqliteAccess};
use tracing::warn;

use crate::{
    authority,
    config::{Config, Options},
    first_start::Credentials,
};

/// What `prokura bootstrap` is asked.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The name of the new organization
    #[arg(long, value_name = "NAME", value_parser = name)]
    organization: Name,

    /// The name of its service account
    #[arg(long, value_name = "NAME", value_parser = name)]
    service_account: Name,

    /// Print the credentials as JSON, like bootstrap.json
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pub(crate) options: Options,
}

fn name(text: &str) -> Result<Name, prokura_server::domain::InvalidText> {
    Name::parse(text.to_owned())
}

/// Makes the organization and its account, then prints the credentials.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<()> {
    let url = config.public_url(config.listen).to_string();
    if config.public_url.is_none() && config.listen.port() == 0 {
        warn!(
            url,
            "the port is chosen when the server starts, so this is not its URL; give it with --public-url"
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
    print(&text).with_context(|| {
        format!(
            "the organization {organization:?} was made, but its credentials could not be printed and are lost; run this \
             again with another name"
        )
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
Made the organization \"{organization}\" and in it the service account \"{account}\", which may do everything.
The secret is shown only now. Keep it in a safe place.

URL              {url}
Organization     {organization_id}
Service account  {service_account_id}
Client id        {client_id}
Client secret    {client_secret}
"
    )
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
