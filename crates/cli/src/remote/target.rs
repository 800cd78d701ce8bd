//! Finds the server and the credentials: flags, environment variables, profile.

use std::{env, fmt, fs, path::PathBuf};

use anyhow::Context as _;
use prokura_client::{Client, ClientCredentials, HttpOptions, wire::Secret};

use super::profile::Profiles;
use crate::failure::Failure;

/// The connection options of a command.
#[derive(clap::Args)]
#[group(skip)]
#[command(
    next_help_heading = "Connection options. A flag overrides an environment variable, which overrides the profile"
)]
pub(crate) struct Options {
    /// Public URL of the server [env: PROKURA_URL]
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Client ID of the service account [env: PROKURA_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// File with the client secret [env: PROKURA_CLIENT_SECRET_FILE, or PROKURA_CLIENT_SECRET for the secret itself]
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,

    /// Profile to use instead of the current one; as a flag, it also overrides the environment [env: PROKURA_PROFILE]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Allow http:// URLs beyond this machine, which send secrets unencrypted [env: PROKURA_ALLOW_PLAIN_HTTP]
    #[arg(long)]
    allow_plain_http: bool,
}

/// The server and the service account that a command uses.
pub(crate) struct Target {
    /// A client of the server.
    pub(crate) client: Client,
    /// The URL of the server.
    pub(crate) url: Setting<String>,
    /// The client ID.
    pub(crate) client_id: Setting<String>,
    /// The client secret.
    pub(crate) secret: Setting<SecretSource>,
}

/// A value and its origin.
#[derive(Clone)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The flag or environment variable with this name.
    Named(&'static str),
    /// The profile with this name.
    Profile(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Profile(name) => write!(f, "the profile {name:?}"),
        }
    }
}

/// A secret, or the file that contains it.
#[derive(Clone)]
pub(crate) enum SecretSource {
    Text(Secret),
    File(PathBuf),
}

/// The values of one layer. `None` means that the next layer decides.
#[derive(Default)]
struct Layer {
    url: Option<Setting<String>>,
    client_id: Option<Setting<String>>,
    secret: Option<Setting<SecretSource>>,
}

impl Options {
    /// Takes each value from the flags, the environment or the profile, in this order.
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
        let missing = found.missing();
        let (Some(url), Some(client_id), Some(secret)) = (found.url, found.client_id, found.secret)
        else {
            return Err(Failure::usage(format!(
                "the connection is not configured: {missing} missing"
            ))
            .hint(
                "run `prokura profile add --from prokura-data/bootstrap.json`, or set PROKURA_URL, \
                         PROKURA_CLIENT_ID and PROKURA_CLIENT_SECRET",
            ));
        };
        check_secret_of_profile(&url, &client_id, &secret)?;

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
            let failure =
                Failure::usage(format!("cannot use the URL from {}: {error}", url.origin));
            if url.value.starts_with("http:") {
                return failure.hint("use https, or allow plain HTTP with --allow-plain-http");
            }
            failure.hint("write the complete URL, such as https://prokura.example.com")
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
            url: setting(self.url.clone(), "--url"),
            client_id: setting(self.client_id.clone(), "--client-id"),
            secret: setting(secret, "--client-secret-file"),
        }
    }
}

fn setting<T>(value: Option<T>, name: &'static str) -> Option<Setting<T>> {
    let origin = Origin::Named(name);
    value.map(|value| Setting { value, origin })
}

const SECRET: &str = "PROKURA_CLIENT_SECRET";
const SECRET_FILE: &str = "PROKURA_CLIENT_SECRET_FILE";

fn environment() -> Result<Layer, Failure> {
    let secret = variable(SECRET)?.map(|text| SecretSource::Text(Secret::new(text)));
    let file = variable(SECRET_FILE)?.map(|path| SecretSource::File(path.into()));
    if secret.is_some() && file.is_some() {
        return Err(
            Failure::usage(format!("both {SECRET} and {SECRET_FILE} are set"))
                .hint("unset one of them"),
        );
    }
    Ok(Layer {
        url: setting(variable("PROKURA_URL")?, "PROKURA_URL"),
        client_id: setting(variable("PROKURA_CLIENT_ID")?, "PROKURA_CLIENT_ID"),
        secret: setting(secret, SECRET).or(setting(file, SECRET_FILE)),
    })
}

/// The value of an environment variable. An empty one counts as unset.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("{name} is not valid UTF-8")))
        }
    }
}

fn profile(profiles: &Profiles, name: &str) -> Result<Layer, Failure> {
    fn from<T>(value: T, origin: &Origin) -> Option<Setting<T>> {
        let origin = origin.clone();
        Some(Setting { value, origin })
    }
    let profile = profiles.get(name)?.clone();
    let origin = Origin::Profile(name.to_owned());
    Ok(Layer {
        url: from(profile.url, &origin),
        client_id: from(profile.client_id, &origin),
        secret: from(SecretSource::Text(profile.client_secret), &origin),
    })
}

/// The secret of a profile is only sent to the server of the profile, with the client ID of the profile.
fn check_secret_of_profile(
    url: &Setting<String>,
    client_id: &Setting<String>,
    secret: &Setting<SecretSource>,
) -> Result<(), Failure> {
    let Origin::Profile(_) = &secret.origin else {
        return Ok(());
    };
    for (what, origin) in [("URL", &url.origin), ("client ID", &client_id.origin)] {
        if *origin != secret.origin {
            return Err(Failure::usage(format!(
                "the {what} from {origin} cannot be used with the client secret of {}",
                secret.origin
            ))
            .hint(format!("set the client secret too, or do not set {origin}")));
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

    /// The names of the missing values, with the verb.
    fn missing(&self) -> String {
        let values = [
            (self.url.is_none(), "the URL"),
            (self.client_id.is_none(), "the client ID"),
            (self.secret.is_none(), "the client secret"),
        ];
        let missing = values.into_iter().filter(|(is_missing, _)| *is_missing);
        let missing = missing.map(|(_, name)| name).collect::<Vec<_>>();
        match missing.as_slice() {
            [] | [_] => format!("{} is", missing.concat()),
            [first @ .., last] => format!("{} and {last} are", first.join(", ")),
        }
    }
}

impl Target {
    /// The origin of the secret, for messages.
    pub(crate) fn secret_origin(&self) -> String {
        let origin = &self.secret.origin;
        match &self.secret.value {
            SecretSource::Text(_) => origin.to_string(),
            SecretSource::File(path) => format!("{} ({origin})", path.display()),
        }
    }

    /// The secret.
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
