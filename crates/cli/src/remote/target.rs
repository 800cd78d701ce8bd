//! Where to, and as whom: flags, environment and profiles.

use std::{env, fs, path::PathBuf};

use anyhow::Context as _;
use prokura_client::{Client, ClientCredentials, HttpOptions, wire::Secret};

use super::profiles::Profiles;
use crate::Failure;

/// The options by which a command finds the server and the service account.
#[derive(clap::Args)]
#[group(skip)]
#[command(
    next_help_heading = "Where to, and as whom: a flag beats the environment beats the profile"
)]
pub(crate) struct Options {
    /// The server's public URL [env: PROKURA_URL]
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// The client id [env: PROKURA_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// The file with the client secret [env: PROKURA_CLIENT_SECRET_FILE; the secret itself: PROKURA_CLIENT_SECRET]
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,

    /// The profile instead of the current one (see `prokura profile`); as a flag it beats the environment with all that it
    /// holds [env: PROKURA_PROFILE]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Send secrets to an http:// URL beyond this machine, in clear [env: PROKURA_ALLOW_PLAIN_HTTP]
    #[arg(long)]
    allow_plain_http: bool,
}

/// The server to ask, and the service account that asks.
pub(crate) struct Target {
    /// A client of that server.
    pub(crate) client: Client,
    /// The server's URL.
    pub(crate) url: Given<String>,
    /// The client id.
    pub(crate) client_id: Given<String>,
    /// The secret.
    pub(crate) secret: Given<SecretSource>,
}

/// A value, and where it comes from.
#[derive(Clone)]
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) from: Origin,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This flag or variable.
    Named(&'static str),
    /// The profile of this name.
    Profile(String),
}

/// A secret, or the file that holds it.
#[derive(Clone)]
pub(crate) enum SecretSource {
    Text(Secret),
    File(PathBuf),
}

/// What one source says. What is `None` is left to the source after it.
#[derive(Default)]
struct Layer {
    url: Option<Given<String>>,
    client_id: Option<Given<String>>,
    secret: Option<Given<SecretSource>>,
}

impl Options {
    /// Asks flags, environment and profiles, in this order.
    pub(crate) fn resolve(&self) -> Result<Target, Failure> {
        let mut found = self.flags();
        if let Some(name) = &self.profile {
            found.complete(profile(&Profiles::load()?, name)?);
        } else {
            found.complete(environment()?);
            if !found.is_complete() {
                let profiles = Profiles::load()?;
                let name = variable("PROKURA_PROFILE")?.or_else(|| profiles.current.clone());
                if let Some(name) = name {
                    found.complete(profile(&profiles, &name)?);
                }
            }
        }
        let (Some(url), Some(client_id), Some(secret)) = (found.url, found.client_id, found.secret)
        else {
            return Err(Failure::usage(MISSING));
        };
        check_secret_goes_home(&url, &client_id, &secret)?;

        let mut http = HttpOptions::new();
        if self.allow_plain_http || variable("PROKURA_ALLOW_PLAIN_HTTP")?.is_some() {
            http = http.allow_plain_http();
        }
        let credentials = match &secret.value {
            SecretSource::Text(secret) => ClientCredentials::new(&client_id.value, secret.expose()),
            SecretSource::File(path) => ClientCredentials::with_secret_file(&client_id.value, path),
        };
        let client = Client::builder(&url.value, credentials).http(http);
        let client = client.build().map_err(|error| {
            let hint = if url.value.starts_with("http:") {
                " (--allow-plain-http)"
            } else {
                ""
            };
            Failure::usage(format!("{} is of no use: {error}{hint}", url.from))
        })?;
        Ok(Target {
            client,
            url,
            client_id,
            secret,
        })
    }

    fn flags(&self) -> Layer {
        let secret = self.client_secret_file.clone().map(SecretSource::File);
        Layer {
            url: given(self.url.clone(), "--url"),
            client_id: given(self.client_id.clone(), "--client-id"),
            secret: given(secret, "--client-secret-file"),
        }
    }
}

fn given<T>(value: Option<T>, by: &'static str) -> Option<Given<T>> {
    let from = Origin::Named(by);
    value.map(|value| Given { value, from })
}

const MISSING: &str = "it is not known which server to ask, and as whom: take the first start's credentials with \
    `prokura profile add --from prokura-data/bootstrap.json`, or set PROKURA_URL, PROKURA_CLIENT_ID and \
    PROKURA_CLIENT_SECRET (or PROKURA_CLIENT_SECRET_FILE)";

fn environment() -> Result<Layer, Failure> {
    let secret = variable(SECRET)?.map(|text| SecretSource::Text(Secret::new(text)));
    let file = variable(SECRET_FILE)?.map(|path| SecretSource::File(path.into()));
    if secret.is_some() && file.is_some() {
        return Err(Failure::usage(format!(
            "both {SECRET} and {SECRET_FILE} are set; unset one"
        )));
    }
    Ok(Layer {
        url: given(variable("PROKURA_URL")?, "PROKURA_URL"),
        client_id: given(variable("PROKURA_CLIENT_ID")?, "PROKURA_CLIENT_ID"),
        secret: given(secret, SECRET).or(given(file, SECRET_FILE)),
    })
}

const SECRET: &str = "PROKURA_CLIENT_SECRET";
const SECRET_FILE: &str = "PROKURA_CLIENT_SECRET_FILE";

/// An environment variable. One that is empty counts as unset.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("{name} is not text in UTF-8")))
        }
    }
}

fn profile(profiles: &Profiles, name: &str) -> Result<Layer, Failure> {
    let profile = profiles.get(name)?.clone();
    let from = Origin::Profile(name.to_owned());
    Ok(Layer {
        url: Some(Given {
            value: profile.url,
            from: from.clone(),
        }),
        client_id: Some(Given {
            value: profile.client_id,
            from: from.clone(),
        }),
        secret: Some(Given {
            value: SecretSource::Text(profile.client_secret),
            from,
        }),
    })
}

/// A profile's secret is that of its client at its server, and goes nowhere else.
fn check_secret_goes_home(
    url: &Given<String>,
    client_id: &Given<String>,
    secret: &Given<SecretSource>,
) -> Result<(), Failure> {
    let Origin::Profile(name) = &secret.from else {
        return Ok(());
    };
    for (what, from) in [("the URL", &url.from), ("the client id", &client_id.from)] {
        if *from != secret.from {
            return Err(Failure::usage(format!(
                "{what} is from {from}, but the only secret is that of the profile {name:?}, which is for its own server and \
                 client alone: give the secret too, or do without {from}"
            )));
        }
    }
    Ok(())
}

impl Layer {
    fn complete(&mut self, lower: Self) {
        self.url = self.url.take().or(lower.url);
        self.client_id = self.client_id.take().or(lower.client_id);
        self.secret = self.secret.take().or(lower.secret);
    }

    fn is_complete(&self) -> bool {
        self.url.is_some() && self.client_id.is_some() && self.secret.is_some()
    }
}

impl Target {
    /// Where the secret comes from, for people.
    pub(crate) fn secret_origin(&self) -> String {
        let from = &self.secret.from;
        match &self.secret.value {
            SecretSource::Text(_) => from.to_string(),
            SecretSource::File(path) => format!("{} ({from})", path.display()),
        }
    }

    /// The secret in clear.
    pub(crate) fn secret(&self) -> Result<Secret, Failure> {
        match &self.secret.value {
            SecretSource::Text(secret) => Ok(secret.clone()),
            SecretSource::File(path) => {
                let text = fs::read_to_string(path).with_context(|| {
                    format!("cannot read the client secret from {}", path.display())
                })?;
                Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
            }
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Profile(name) => write!(f, "the profile {name:?}"),
        }
    }
}
