//! The effective configuration, and the checks that involve several keys.

use std::{collections::BTreeMap, net::SocketAddr, num::NonZeroU16, path::PathBuf};

use prokura_server::{
    authority::RotationPolicy,
    domain::{ConfiguredResource, InvalidResources, Resource, Resources},
};

use super::{
    database::Database,
    layers::{Layers, Origin},
    listen::is_loopback,
    log::{LogFormat, LogLevel},
    public_url::PublicUrl,
    settings::Options,
    tls::TlsFiles,
};
use crate::failure::Failure;

/// The effective configuration.
pub(crate) struct Config {
    /// The directory for the files of this node.
    pub(crate) data_dir: PathBuf,
    /// The database.
    pub(crate) database: Database,
    /// The maximum number of PostgreSQL connections.
    pub(crate) database_connections: NonZeroU16,
    /// The address to listen on. Port 0 means any free port.
    pub(crate) listen: SocketAddr,
    /// The public URL. `None`: derived from the address of the listener.
    pub(crate) public_url: Option<PublicUrl>,
    /// Whether a proxy terminates TLS.
    pub(crate) tls_terminated_upstream: bool,
    /// The certificate of the listener. `None`: the server speaks plain HTTP.
    pub(crate) tls: Option<TlsFiles>,
    /// The master key file. `None`: `master.key` in the data directory.
    pub(crate) master_key_file: Option<PathBuf>,
    /// The next master key file. `None`: the master key is not being changed.
    pub(crate) next_master_key_file: Option<PathBuf>,
    /// The log level.
    pub(crate) log_level: LogLevel,
    /// The log format.
    pub(crate) log_format: LogFormat,
    /// The origin of each top-level value. A key that is absent is derived from other keys.
    pub(crate) origins: BTreeMap<&'static str, Origin>,
    /// Limits for the rotation of client secrets.
    pub(crate) rotation: RotationPolicy,
    /// How long a signing key signs, in days.
    pub(crate) signing_key_rotation_days: u16,
    /// The management API with the configured aliases. Its identifier is derived from the public URL.
    management_api: Resource,
    resources: Vec<ConfiguredResource>,
}

impl Config {
    /// Merges flags, environment variables, the file and the defaults, and checks the result.
    pub(crate) fn load(options: &Options) -> Result<Self, Failure> {
        const SET: &str = "config.default.toml sets it";
        let mut layers = Layers::load(options)?;
        let data_dir = layers.pick("data_dir", |layer| &layer.data_dir).expect(SET);
        let config = Self {
            database: database(&mut layers)?
                .unwrap_or_else(|| Database::Sqlite(data_dir.join("prokura.db"))),
            data_dir,
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
            tls: tls(&layers)?,
            master_key_file: layers.pick("master_key_file", |layer| &layer.master_key_file),
            next_master_key_file: layers
                .pick("next_master_key_file", |layer| &layer.next_master_key_file),
            log_level: layers
                .pick("log_level", |layer| &layer.log_level)
                .expect(SET),
            log_format: layers
                .pick("log_format", |layer| &layer.log_format)
                .expect(SET),
            rotation: RotationPolicy {
                max_grace_period_seconds: layers
                    .pick_from_file(|layer| &layer.rotation.max_grace_period_seconds)
                    .expect(SET),
                safe_to_revoke_after_seconds: layers
                    .pick_from_file(|layer| &layer.rotation.safe_to_revoke_after_seconds)
                    .expect(SET),
            },
            signing_key_rotation_days: layers
                .pick_from_file(|layer| &layer.keys.rotation_days)
                .expect(SET)
                .0,
            management_api: Resource {
                identifier: String::new(),
                aliases: layers
                    .pick_from_file(|layer| &layer.management_api.aliases)
                    .expect(SET)
                    .into_iter()
                    .map(|alias| alias.0)
                    .collect(),
                scopes: Resources::management_scopes(),
                token_format: layers
                    .pick_from_file(|layer| &layer.management_api.token_format)
                    .expect(SET)
                    .signed_with(
                        layers
                            .pick_from_file(|layer| &layer.management_api.signing_algorithm)
                            .expect(SET),
                    ),
                token_lifetime_seconds: layers
                    .pick_from_file(|layer| &layer.management_api.token_lifetime_seconds)
                    .expect(SET)
                    .0,
            },
            resources: layers
                .pick_from_file(|layer| &layer.resources)
                .unwrap_or_default()
                .into_iter()
                .map(ConfiguredResource::from)
                .collect(),
            origins: layers.into_origins(),
        };
        config.check()?;
        Ok(config)
    }

    /// The checks that involve several keys.
    fn check(&self) -> Result<(), Failure> {
        let listen = self.listen;
        if self.tls.is_none() && !is_loopback(listen.ip()) && !self.tls_terminated_upstream {
            return Err(Failure::usage(format!(
                "listen = \"{listen}\" would send secrets over the network in plain HTTP"
            ))
            .hint(
                "add a certificate ([tls] in the configuration file), set --tls-terminated-upstream if a proxy \
                 terminates TLS, or listen on 127.0.0.1",
            ));
        }
        let Some(url) = &self.public_url else {
            if listen.ip().is_unspecified() {
                return Err(Failure::usage(format!(
                    "listen = \"{listen}\" does not tell clients how to reach the server"
                ))
                .hint("set --public-url, for example --public-url https://prokura.example.com"));
            }
            return self.check_resources();
        };
        if !url.is_https_or_loopback() && !self.tls_terminated_upstream {
            return Err(Failure::usage(format!(
                "public_url = \"{url}\" would send secrets over the network in plain HTTP"
            ))
            .hint("use https, or set --tls-terminated-upstream if a proxy terminates TLS"));
        }
        if !url.is_https() && self.tls.is_some() {
            return Err(Failure::usage(format!(
                "public_url = \"{url}\" is plain HTTP, but the server speaks TLS"
            ))
            .hint("change the scheme of the public URL to https"));
        }
        self.check_resources()
    }

    fn check_resources(&self) -> Result<(), Failure> {
        let checked = self.resources(self.listen).map(drop);
        checked.map_err(|error| Failure {
            code: 2,
            ..error.into()
        })
    }

    /// Checks that the master key file is configured where it has no default.
    pub(crate) fn check_master_key(&self) -> Result<(), Failure> {
        if matches!(self.database, Database::Postgres(_)) && self.master_key_file.is_none() {
            return Err(Self::master_key_not_configured());
        }
        Ok(())
    }

    /// The error of a PostgreSQL node without a configured master key file.
    pub(crate) fn master_key_not_configured() -> Failure {
        Failure::usage("PostgreSQL needs --master-key-file, with the same master key on every node")
            .hint("create a master key: (umask 077; openssl rand -base64 32 > master.key)")
    }

    /// The public URL of a server that listens on `address`.
    pub(crate) fn public_url(&self, address: SocketAddr) -> PublicUrl {
        self.public_url
            .clone()
            .unwrap_or_else(|| PublicUrl::of_listener(self.scheme(), address))
    }

    /// The scheme of the listener: `https` or `http`.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The management API of a server that listens on `address`, and the resources of the configuration.
    pub(crate) fn resources(
        &self,
        address: SocketAddr,
    ) -> Result<(Resource, Vec<ConfiguredResource>), InvalidResources> {
        let management_url = |url: &PublicUrl| format!("{url}/api/v1");
        let public_url = self.public_url(address);
        let mut management = self.management_api.clone();
        management.identifier = management_url(&public_url);
        if let Some(twin) = public_url.loopback_twin().as_ref().map(management_url)
            && !management.aliases.contains(&twin)
        {
            management.aliases.push(twin);
        }
        // An alias that equals the identifier is redundant, not a second resource.
        let own = management.identifier.clone();
        management.aliases.retain(|alias| *alias != own);
        let configured = self.resources.iter();
        let configured = configured.map(|configured| configured.resource.clone());
        Resources::new(management.clone(), configured.collect())?;
        Ok((management, self.resources.clone()))
    }
}

fn database(layers: &mut Layers<'_>) -> Result<Option<Database>, Failure> {
    let Some(url) = layers.pick("database_url", |layer| &layer.database_url) else {
        return Ok(None);
    };
    let database = Database::parse(&url);
    database.map(Some).map_err(|error| {
        let origin = layers.origin("database_url");
        Failure::usage(format!("database_url ({origin}) {error}"))
    })
}

fn tls(layers: &Layers<'_>) -> Result<Option<TlsFiles>, Failure> {
    let certificate = layers.pick_from_file(|layer| &layer.tls.certificate);
    let key = layers.pick_from_file(|layer| &layer.tls.key);
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Failure::usage("tls.certificate is set, but tls.key is not")
            .hint("set tls.key to the private key of the certificate")),
        (None, Some(_)) => Err(Failure::usage("tls.key is set, but tls.certificate is not")
            .hint("set tls.certificate to the certificate of the key")),
    }
}
