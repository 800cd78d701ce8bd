//! The keys of the configuration, as flags, environment variables and a file.

use std::{num::NonZeroU16, path::PathBuf};

use clap::builder::BoolishValueParser;
use serde::Deserialize;

use super::{
    database::DatabaseUrl,
    keys::KeysSettings,
    listen::ListenAddress,
    log::{LogFormat, LogLevel},
    public_url::PublicUrl,
    resources::{ManagementApiSettings, ResourceSettings},
    rotation::RotationSettings,
    tls::TlsSettings,
};

/// The flags and environment variables of a command that uses the configuration.
#[derive(Debug, clap::Args)]
#[command(
    next_help_heading = "Configuration options. A flag overrides an environment variable, which overrides the configuration file"
)]
pub(crate) struct Options {
    /// Configuration file (TOML)
    #[arg(
        long,
        value_name = "FILE",
        env = "PROKURA_CONFIG",
        hide_env_values = true
    )]
    pub(super) config: Option<PathBuf>,

    #[command(flatten)]
    pub(super) settings: Settings,

    /// The IDs of the arguments whose value came from the environment.
    #[arg(skip)]
    pub(crate) from_environment: Vec<String>,
}

/// One layer of the configuration. `None` means that the next layer decides.
#[derive(Debug, clap::Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Directory for the database, the master key and bootstrap.json [default: ./prokura-data]
    #[arg(
        long,
        value_name = "DIR",
        env = "PROKURA_DATA_DIR",
        hide_env_values = true
    )]
    pub(super) data_dir: Option<PathBuf>,

    /// Database, sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE [default: sqlite:DATA_DIR/prokura.db]
    #[arg(
        long,
        value_name = "URL",
        env = "PROKURA_DATABASE_URL",
        hide_env_values = true
    )]
    pub(super) database_url: Option<DatabaseUrl>,

    /// Maximum number of PostgreSQL connections [default: 16]
    #[arg(
        long,
        value_name = "NUMBER",
        env = "PROKURA_DATABASE_CONNECTIONS",
        hide_env_values = true,
        value_parser = connections
    )]
    pub(super) database_connections: Option<NonZeroU16>,

    /// IP address and port to listen on; port 0 picks a free port [default: 127.0.0.1:8080]
    #[arg(
        long,
        value_name = "ADDR",
        env = "PROKURA_LISTEN",
        hide_env_values = true
    )]
    pub(super) listen: Option<ListenAddress>,

    /// URL under which clients reach the server; also the token issuer [default: http(s)://LISTEN]
    #[arg(
        long,
        value_name = "URL",
        env = "PROKURA_PUBLIC_URL",
        hide_env_values = true
    )]
    pub(super) public_url: Option<PublicUrl>,

    /// Allow plain HTTP beyond loopback because a proxy terminates TLS [default: false]
    #[arg(
        long, value_name = "BOOL", env = "PROKURA_TLS_TERMINATED_UPSTREAM", hide_env_values = true,
        num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = BoolishValueParser::new(), hide_possible_values = true
    )]
    pub(super) tls_terminated_upstream: Option<bool>,

    /// Master key file, 32 bytes in base64; required with PostgreSQL [default: DATA_DIR/master.key]
    #[arg(
        long,
        value_name = "FILE",
        env = "PROKURA_MASTER_KEY_FILE",
        hide_env_values = true
    )]
    pub(super) master_key_file: Option<PathBuf>,

    /// Next master key file, while the master key is being changed: the database may have either key [default: none]
    #[arg(
        long,
        value_name = "FILE",
        env = "PROKURA_NEXT_MASTER_KEY_FILE",
        hide_env_values = true
    )]
    pub(super) next_master_key_file: Option<PathBuf>,

    /// Log level [default: info]
    #[arg(
        long,
        value_name = "LEVEL",
        env = "PROKURA_LOG_LEVEL",
        hide_env_values = true
    )]
    pub(super) log_level: Option<LogLevel>,

    /// Log format; auto is human on a terminal and json elsewhere [default: auto]
    #[arg(
        long,
        value_name = "FORMAT",
        env = "PROKURA_LOG_FORMAT",
        hide_env_values = true
    )]
    pub(super) log_format: Option<LogFormat>,

    #[arg(skip)]
    #[serde(default)]
    pub(super) tls: TlsSettings,

    #[arg(skip)]
    #[serde(default)]
    pub(super) management_api: ManagementApiSettings,

    #[arg(skip)]
    #[serde(default)]
    pub(super) rotation: RotationSettings,

    #[arg(skip)]
    #[serde(default)]
    pub(super) keys: KeysSettings,

    #[arg(skip)]
    pub(super) resources: Option<Vec<ResourceSettings>>,
}

fn connections(text: &str) -> Result<NonZeroU16, String> {
    let number = text.parse();
    number.map_err(|_| format!("must be a number from 1 to {}", u16::MAX))
}
