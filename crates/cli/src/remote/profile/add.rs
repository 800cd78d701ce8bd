//! `prokura profile add`.

use std::{
    fs,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use prokura_client::{Client, ClientCredentials, HttpOptions, wire::Secret};

use super::store::{Profile, Profiles};
use crate::{credentials_file::Credentials, failure::Failure, remote::print};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Add {
    /// Name of the profile
    #[arg(default_value = "default")]
    name: String,

    /// Import the credentials from this file, in the format of bootstrap.json; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "client_id", "client_secret_file"], required_unless_present_all = ["url", "client_id"])]
    from: Option<PathBuf>,

    /// Public URL of the server
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Client ID of the service account
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// File with the client secret [default: read it from the terminal or from standard input]
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,

    /// Replace an existing profile
    #[arg(long)]
    replace: bool,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  prokura profile add --from prokura-data/bootstrap.json
  prokura profile add production --url https://prokura.example.com --client-id sa_… --client-secret-file secret.txt";

pub(super) fn run(arguments: Add) -> Result<(), Failure> {
    let name = arguments.name.clone();
    let mut all = Profiles::load()?;
    if all.profiles.contains_key(&name) && !arguments.replace {
        return Err(
            Failure::usage(format!("the profile {name:?} already exists"))
                .hint("choose another name, or replace it with --replace"),
        );
    }
    let profile = new_profile(arguments)?;
    let added = format!("Added the profile {name:?} for {}", profile.url);
    all.profiles.insert(name.clone(), profile);
    let current = all.current.get_or_insert_with(|| name.clone());
    let message = if *current == name {
        format!("{added}. It is the current profile.")
    } else {
        format!("{added}. Select it with `prokura profile use {name}`.")
    };
    all.save()?;
    print::say(&message)
}

fn new_profile(arguments: Add) -> Result<Profile, Failure> {
    let profile = match arguments.from {
        Some(path) => from_file(&path)?,
        None => Profile {
            url: arguments.url.unwrap_or_default(),
            client_id: arguments.client_id.unwrap_or_default(),
            client_secret: secret(arguments.client_secret_file.as_deref())?,
        },
    };
    // Report an invalid URL now, not at the first use.
    let credentials = ClientCredentials::new(&profile.client_id, profile.client_secret.expose());
    let http = HttpOptions::new().allow_plain_http();
    let client = Client::builder(&profile.url, credentials)
        .http(http)
        .build();
    client.map_err(|error| {
        Failure::new(error).hint("write the complete URL, such as https://prokura.example.com")
    })?;
    Ok(profile)
}

fn from_file(path: &Path) -> Result<Profile, Failure> {
    let text = if path == Path::new("-") {
        io::read_to_string(io::stdin()).context("cannot read standard input")?
    } else {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
    };
    // Without the cause, which may quote the secret.
    let Ok(credentials) = serde_json::from_str::<Credentials>(&text) else {
        return Err(
            Failure::new(format!("{} is not a credentials file", path.display())).hint(
                "use the bootstrap.json of the first start, or the output of `prokura bootstrap --json`",
            ),
        );
    };
    Ok(Profile {
        url: credentials.url,
        client_id: credentials.client_id,
        client_secret: Secret::new(credentials.client_secret),
    })
}

fn secret(file: Option<&Path>) -> Result<Secret, Failure> {
    let text = match file {
        Some(path) => {
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
        }
        None => read_secret().context("cannot read the client secret")?,
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Failure::new("the client secret is empty"));
    }
    Ok(Secret::new(text))
}

/// Prompts for the secret without echo if standard input is a terminal. Otherwise reads all of standard input.
fn read_secret() -> io::Result<String> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        rpassword::prompt_password("Client secret: ")
    } else {
        io::read_to_string(stdin)
    }
}
