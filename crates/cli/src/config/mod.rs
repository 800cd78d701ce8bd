//! The configuration: flags, environment, file and defaults, in this order, and what results from them.

mod values;

use std::{
    collections::BTreeMap,
    fmt, fs,
    net::SocketAddr,
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use clap::builder::BoolishValueParser;
use prokura_server::{
    authority::RotationPolicy,
    domain::{InvalidResources, Resource, Resources, SigningAlgorithm},
};
use serde::Deserialize;

use values::{
    Algorithm, DatabaseUrl, Format, Identifier, LifetimeSeconds, ListenAddress, Scopes, is_loopback,
};
pub(crate) use values::{Database, LogFormat, LogLevel, PublicUrl};

/// The reference: every key, its default and its explanation.
const DEFAULTS: &str = include_str!("../config.default.toml");

/// The options by which every command finds its configuration.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Read settings from this TOML file
    #[arg(
        long,
        value_name = "FILE",
        env = "PROKURA_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,

    /// The ids of the options that came from the environment.
    #[arg(skip)]
    pub(crate) from_environment: Vec<String>,
}

/// One layer of the configuration. What is `None` is left to the layer below.
#[derive(Debug, clap::Args, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Keep the database, the master key and the first credentials here [default: ./prokura-data]
    #[arg(
        long,
        value_name = "DIR",
        env = "PROKURA_DATA_DIR",
        hide_env_values = true
    )]
    data_dir: Option<PathBuf>,

    /// Use this database, sqlite:PATH or postgres://… [default: sqlite:<data-dir>/prokura.db]
    #[arg(
        long,
        value_name = "URL",
        env = "PROKURA_DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<DatabaseUrl>,

    /// Open at most so many connections to PostgreSQL [default: 16]
    #[arg(
        long,
        value_name = "NUMBER",
        env = "PROKURA_DATABASE_CONNECTIONS",
        hide_env_values = true
    )]
    database_connections: Option<NonZeroU16>,

    /// Listen on this IP address and port; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(
        long,
        value_name = "ADDR",
        env = "PROKURA_LISTEN",
        hide_env_values = true
    )]
    listen: Option<ListenAddress>,

    /// The URL under which clients reach the server, and the issuer of its tokens [default: http(s)://<listen>]
    #[arg(
        long,
        value_name = "URL",
        env = "PROKURA_PUBLIC_URL",
        hide_env_values = true
    )]
    public_url: Option<PublicUrl>,

    /// TLS ends before this server: allow plain HTTP beyond loopback [default: false]
    #[arg(
        long, value_name = "BOOL", env = "PROKURA_TLS_TERMINATED_UPSTREAM", hide_env_values = true,
        num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = BoolishValueParser::new(), hide_possible_values = true
    )]
    tls_terminated_upstream: Option<bool>,

    /// The master key, 32 bytes in base64; PostgreSQL needs it given [default: <data-dir>/master.key]
    #[arg(
        long,
        value_name = "FILE",
        env = "PROKURA_MASTER_KEY_FILE",
        hide_env_values = true
    )]
    master_key_file: Option<PathBuf>,

    /// How much is logged, to standard error [default: info]
    #[arg(
        long,
        value_name = "LEVEL",
        env = "PROKURA_LOG_LEVEL",
        hide_env_values = true
    )]
    log_level: Option<LogLevel>,

    /// How the log looks; auto is human on a terminal, json elsewhere [default: auto]
    #[arg(
        long,
        value_name = "FORMAT",
        env = "PROKURA_LOG_FORMAT",
        hide_env_values = true
    )]
    log_format: Option<LogFormat>,

    #[arg(skip)]
    #[serde(default)]
    tls: TlsSettings,

    #[arg(skip)]
    #[serde(default)]
    management_api: ManagementApiSettings,

    #[arg(skip)]
    #[serde(default)]
    rotation: RotationSettings,

    #[arg(skip)]
    resources: Option<Vec<ResourceSettings>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsSettings {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManagementApiSettings {
    token_format: Option<Format>,
    signing_algorithm: Option<Algorithm>,
    token_lifetime_seconds: Option<LifetimeSeconds>,
    aliases: Option<Vec<Identifier>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RotationSettings {
    max_grace_period_seconds: Option<u32>,
    safe_to_revoke_after_seconds: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceSettings {
    identifier: Identifier,
    scopes: Scopes,
    #[serde(default = "jwt")]
    token_format: Format,
    #[serde(default = "es256")]
    signing_algorithm: Algorithm,
    #[serde(default = "one_hour")]
    token_lifetime_seconds: LifetimeSeconds,
}

const fn jwt() -> Format {
    Format::Jwt
}

const fn es256() -> Algorithm {
    Algorithm(SigningAlgorithm::Es256)
}

const fn one_hour() -> LifetimeSeconds {
    LifetimeSeconds(3600)
}

/// The effective configuration.
pub(crate) struct Config {
    /// Where the files of this node are kept.
    pub(crate) data_dir: PathBuf,
    /// Which database to use.
    pub(crate) database: Database,
    /// How many connections to PostgreSQL to open at most.
    pub(crate) database_connections: NonZeroU16,
    /// Where to listen. Port 0: any.
    pub(crate) listen: SocketAddr,
    /// The public URL. `None`: it follows from the address that the listener gets.
    pub(crate) public_url: Option<PublicUrl>,
    /// Whether TLS ends before this server.
    pub(crate) tls_terminated_upstream: bool,
    /// What the server needs to speak TLS itself. `None`: it speaks plain HTTP.
    pub(crate) tls: Option<TlsFiles>,
    /// The file of the master key. `None`: the default one, which may have to be made.
    pub(crate) master_key_file: Option<PathBuf>,
    /// How much is logged.
    pub(crate) log_level: LogLevel,
    /// How the log looks.
    pub(crate) log_format: LogFormat,
    /// Where each top-level value comes from. A key that is absent follows from others.
    pub(crate) origins: BTreeMap<&'static str, Origin>,
    /// What is allowed when secrets change hands.
    pub(crate) rotation: RotationPolicy,
    /// The management API with the configured aliases; what else it is called follows from the public URL.
    management_api: Resource,
    resources: Vec<Resource>,
}

/// Where certificate and key of the listener are, in PEM.
#[derive(Clone, Debug)]
pub(crate) struct TlsFiles {
    /// The server's certificate and those that sign it.
    pub(crate) certificate: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The flag with this name.
    Flag(String),
    /// The environment variable with this name.
    Environment(String),
    /// This file.
    File(PathBuf),
    /// The file of defaults.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Environment(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The configuration is refused: the user's to mend, exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConfigError(String);

fn refuse<T>(message: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError(message.into()))
}

impl Config {
    /// The configuration that results from `options`, the file that they name, and the defaults.
    pub(crate) fn load(options: &Options) -> Result<Self, ConfigError> {
        let file = options.config.as_deref().map(read).transpose()?;
        let defaults = parse(DEFAULTS)
            .map_err(|error| ConfigError(format!("the built-in defaults, {error}")))?;
        let mut layers = Layers {
            options,
            below: file.iter().chain([&defaults]).collect(),
            origins: BTreeMap::new(),
        };
        const SET: &str = "config.default.toml sets it";

        let data_dir = layers.pick("data_dir", |layer| &layer.data_dir).expect(SET);
        let database = match layers.pick("database_url", |layer| &layer.database_url) {
            Some(url) => Database::parse(&url).map_err(|error| {
                ConfigError(format!(
                    "database_url ({}) {error}",
                    layers.origins["database_url"]
                ))
            })?,
            None => Database::Sqlite(data_dir.join("prokura.db")),
        };
        let management_api = Resource {
            identifier: String::new(),
            aliases: layers
                .below(|layer| &layer.management_api.aliases)
                .expect(SET)
                .into_iter()
                .map(|alias| alias.0)
                .collect(),
            scopes: Resources::management_scopes(),
            token_format: layers
                .below(|layer| &layer.management_api.token_format)
                .expect(SET)
                .signed_with(
                    layers
                        .below(|layer| &layer.management_api.signing_algorithm)
                        .expect(SET),
                ),
            token_lifetime_seconds: layers
                .below(|layer| &layer.management_api.token_lifetime_seconds)
                .expect(SET)
                .0,
        };
        let rotation = RotationPolicy {
            max_grace_period_seconds: layers
                .below(|layer| &layer.rotation.max_grace_period_seconds)
                .expect(SET),
            safe_to_revoke_after_seconds: layers
                .below(|layer| &layer.rotation.safe_to_revoke_after_seconds)
                .expect(SET),
        };
        let tls = match (
            layers.below(|layer| &layer.tls.certificate),
            layers.below(|layer| &layer.tls.key),
        ) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => {
                return refuse("tls.certificate needs its private key: give it as tls.key");
            }
            (None, Some(_)) => {
                return refuse("tls.key needs its certificate: give it as tls.certificate");
            }
        };
        let config = Self {
            database,
            database_connections: layers
                .pick("database_connections", |layer| &layer.database_connections)
                .expect(SET),
            listen: layers.pick("listen", |layer| &layer.listen).expect(SET).0,
            public_url: layers.pick("public_url", |layer| &layer.public_url),
            tls_terminated_upstream: layers
                .pick("tls_terminated_upstream", |layer| {
                    &layer.tls_terminated_upstream
                })
                .expect(SET),
            tls,
            master_key_file: layers.pick("master_key_file", |layer| &layer.master_key_file),
            log_level: layers
                .pick("log_level", |layer| &layer.log_level)
                .expect(SET),
            log_format: layers
                .pick("log_format", |layer| &layer.log_format)
                .expect(SET),
            rotation,
            management_api,
            resources: layers
                .below(|layer| &layer.resources)
                .unwrap_or_default()
                .into_iter()
                .map(ResourceSettings::into_resource)
                .collect(),
            origins: layers.origins,
            data_dir,
        };
        config.check()?;
        Ok(config)
    }

    /// What no single value tells.
    fn check(&self) -> Result<(), ConfigError> {
        let listen = self.listen;
        if self.tls.is_none() && !is_loopback(listen.ip()) && !self.tls_terminated_upstream {
            return refuse(format!(
                "listen = \"{listen}\" is reachable from other machines, and the server speaks plain HTTP: give it a \
                 certificate ([tls] in the configuration file), or let a proxy end TLS before it and say so with \
                 --tls-terminated-upstream, or listen on 127.0.0.1"
            ));
        }
        match &self.public_url {
            None if listen.ip().is_unspecified() => {
                return refuse(format!(
                    "listen = \"{listen}\" does not tell under which address clients reach the server: give it with \
                     --public-url, for example --public-url https://prokura.example.com"
                ));
            }
            Some(url) if !url.is_https_or_loopback() && !self.tls_terminated_upstream => {
                return refuse(format!(
                    "public_url = \"{url}\" would send secrets in clear: use https, or say with --tls-terminated-upstream \
                     that TLS ends before the server"
                ));
            }
            Some(url) if !url.is_https() && self.tls.is_some() => {
                return refuse(format!(
                    "public_url = \"{url}\" leads to plain HTTP, and the server speaks TLS: use https"
                ));
            }
            _ => {}
        }
        self.resources(listen)
            .map(drop)
            .map_err(|error| ConfigError(error.to_string()))
    }

    /// Whether it says where the master key is.
    pub(crate) fn check_master_key(&self) -> Result<(), ConfigError> {
        if matches!(self.database, Database::Postgres(_)) && self.master_key_file.is_none() {
            return refuse(
                "with PostgreSQL every node needs the same master key, so it must be given with --master-key-file; \
                 `(umask 077; openssl rand -base64 32 > master.key)` makes one",
            );
        }
        Ok(())
    }

    /// The public URL of a server that listens on `address`.
    pub(crate) fn public_url(&self, address: SocketAddr) -> PublicUrl {
        self.public_url
            .clone()
            .unwrap_or_else(|| PublicUrl::of_listener(self.scheme(), address))
    }

    /// What the listener speaks: `https` or `http`.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The resources of a server that listens on `address`.
    pub(crate) fn resources(&self, address: SocketAddr) -> Result<Resources, InvalidResources> {
        let management_url = |url: &PublicUrl| format!("{url}/api/v1");
        let public_url = self.public_url(address);
        let mut management = self.management_api.clone();
        management.identifier = management_url(&public_url);
        if let Some(twin) = public_url.loopback_twin().as_ref().map(management_url)
            && !management.aliases.contains(&twin)
        {
            management.aliases.push(twin);
        }
        // Whoever lists the API's own name, before or after it became the public URL, means no second resource.
        let own = management.identifier.clone();
        management.aliases.retain(|alias| *alias != own);
        Resources::new(management, self.resources.clone())
    }
}

impl ResourceSettings {
    fn into_resource(self) -> Resource {
        Resource {
            identifier: self.identifier.0,
            aliases: Vec::new(),
            scopes: self.scopes.0,
            token_format: self.token_format.signed_with(self.signing_algorithm),
            token_lifetime_seconds: self.token_lifetime_seconds.0,
        }
    }
}

/// The layers, the highest first. Whoever picks a value learns where it came from.
struct Layers<'a> {
    options: &'a Options,
    /// The file, if one is named, and the defaults.
    below: Vec<&'a Settings>,
    origins: BTreeMap<&'static str, Origin>,
}

impl Layers<'_> {
    /// The value of a top-level key, noting its origin.
    fn pick<T: Clone>(
        &mut self,
        key: &'static str,
        field: impl Fn(&Settings) -> &Option<T>,
    ) -> Option<T> {
        if let Some(value) = field(&self.options.settings) {
            let origin = if self.options.from_environment.iter().any(|id| id == key) {
                Origin::Environment(format!("PROKURA_{}", key.to_uppercase()))
            } else {
                Origin::Flag(format!("--{}", key.replace('_', "-")))
            };
            self.origins.insert(key, origin);
            return Some(value.clone());
        }
        let at = self.below.iter().position(|layer| field(layer).is_some())?;
        let origin = match &self.options.config {
            Some(path) if at + 1 < self.below.len() => Origin::File(path.clone()),
            _ => Origin::Default,
        };
        self.origins.insert(key, origin);
        field(self.below[at]).clone()
    }

    /// The value of a key that only files have.
    fn below<T: Clone>(&self, field: impl Fn(&Settings) -> &Option<T>) -> Option<T> {
        self.below.iter().find_map(|layer| field(layer).clone())
    }
}

fn read(path: &Path) -> Result<Settings, ConfigError> {
    let text = fs::read_to_string(path).map_err(|error| {
        ConfigError(format!(
            "cannot read the configuration file {}: {error}",
            path.display()
        ))
    })?;
    parse(&text).map_err(|error| ConfigError(format!("{}, {error}", path.display())))
}

/// Reads a file's text. The message of a refusal names line and key, and never shows the line: it may hold a password.
fn parse(text: &str) -> Result<Settings, String> {
    let line = |error: &toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        text.as_bytes()[..start]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1
    };
    let message = |error: &toml::de::Error| error.message().replace('\n', " ");
    let document = toml::Deserializer::parse(text)
        .map_err(|error| format!("line {}: {}", line(&error), message(&error)))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let key = error.path().to_string();
        let error = error.into_inner();
        format!("line {}: {key}: {}", line(&error), message(&error))
    })
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;

    #[test]
    fn every_top_level_key_is_a_flag_and_a_variable_and_the_help_tells_its_default() {
        let reference = uncommented_reference();
        let command = Options::augment_args(clap::Command::new("any"));
        let arguments = command
            .get_arguments()
            .filter(|argument| argument.get_id() != "config")
            .collect::<Vec<_>>();
        for argument in &arguments {
            let key = argument.get_id().as_str();
            assert_eq!(argument.get_long(), Some(&*key.replace('_', "-")));
            assert_eq!(
                argument.get_env().unwrap().to_str(),
                Some(&*format!("PROKURA_{}", key.to_uppercase()))
            );
            let help = argument.get_help().unwrap().to_string();
            if let Some(default) = DEFAULTS.parse::<toml::Table>().unwrap().get(key) {
                let default = default
                    .as_str()
                    .map_or_else(|| default.to_string(), str::to_owned);
                assert!(
                    help.contains(&format!("[default: {default}]")),
                    "{key}: {help}"
                );
            }
            assert!(
                reference.contains_key(key),
                "{key} is not in config.default.toml"
            );
        }
        let scalars = reference
            .values()
            .filter(|value| !value.is_table() && !value.is_array())
            .count();
        assert_eq!(scalars, arguments.len());
    }

    #[test]
    fn the_reference_shows_every_key_and_the_true_defaults_of_a_resource() {
        let reference = uncommented_reference();
        let shown = parse(&reference.to_string())
            .unwrap()
            .resources
            .unwrap()
            .remove(0);
        let least = parse("[[resources]]\nidentifier = \"https://orders.example.com\"\nscopes = [\"orders:read\", \"orders:write\"]")
            .unwrap()
            .resources
            .unwrap()
            .remove(0);
        assert_eq!(format!("{shown:?}"), format!("{least:?}"));
        assert_eq!(reference["resources"][0].as_table().unwrap().len(), 5);
        assert_eq!(reference["management_api"].as_table().unwrap().len(), 4);
        assert_eq!(reference["rotation"].as_table().unwrap().len(), 2);
        assert_eq!(reference["tls"].as_table().unwrap().len(), 2);
    }

    #[test]
    fn what_is_wrong_in_a_file_is_named_by_line_and_key() {
        for (text, message) in [
            ("\nlistne = 1", "line 2: listne: unknown field `listne`"),
            (
                "listen = 8080",
                "line 1: listen: invalid type: integer `8080`",
            ),
            (
                "listen = \"8080\"",
                "line 1: listen: must be an IP address and a port",
            ),
            (
                "[management_api]\ntoken_format = \"paseto\"",
                "line 2: management_api.token_format: unknown variant `paseto`",
            ),
            (
                "[[resources]]\nidentifier = \"urn:x\"\nscopes = []",
                "line 3: resources[0].scopes: must hold at least one",
            ),
            (
                "[[resources]]\nidentifier = \"urn:x\"",
                "line 1: resources[0]: missing field `scopes`",
            ),
            ("a = ", "line 1: "),
            (
                "log_level = \"loud\"",
                "line 1: log_level: unknown variant `loud`",
            ),
            ("database_connections = 0", "line 1: database_connections: "),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.starts_with(message), "{text:?}: {refused}");
            assert!(!refused.contains('\n'), "{refused:?}");
        }
    }

    /// The reference with the keys that it only shows.
    fn uncommented_reference() -> toml::Table {
        let is_shown = |line: &str| {
            line.starts_with("[[")
                || line.split_once(" = ").is_some_and(|(key, _)| {
                    key.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'))
                })
        };
        let lines = DEFAULTS.lines().map(|line| match line.strip_prefix("# ") {
            Some(shown) if is_shown(shown) => shown,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n").parse().unwrap()
    }
}
