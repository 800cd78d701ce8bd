//! The URL of a PostgreSQL database, as libpq reads it.

use std::{path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use rustls::pki_types::pem;
use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

/// The parameters of a URL that are known, besides `sslmode` and `sslrootcert`.
const PARAMETERS: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// How long connecting may take, over all hosts, unless the URL has `connect_timeout` (which is per host).
const REACHING: Duration = Duration::from_secs(5);
/// How long the server may stay silent before a connection is closed, unless the URL says otherwise.
const SILENCE: Duration = Duration::from_secs(10);

/// A parsed URL.
#[derive(Debug)]
pub(super) struct Address {
    /// Everything but the verification of certificates.
    pub(super) config: Config,
    /// How the server's certificate is verified.
    pub(super) verification: Verification,
    /// How long connecting may take in all, with every host tried in turn.
    pub(super) reaching_takes: Duration,
}

/// How the server's certificate is verified.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verification {
    /// Not at all: nobody can listen, but anybody may answer.
    Nothing,
    /// An authority in this PEM file must have signed it.
    Chain(PathBuf),
    /// An authority must have signed it, and it must name the host of the URL.
    ChainAndName(Roots),
}

/// The trusted authorities.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// Those that the operating system trusts.
    System,
    /// Those in this PEM file.
    File(PathBuf),
}

/// Why a PostgreSQL URL cannot be used. Of the URL, no message repeats more than the path of `sslrootcert`: if a password was not
/// encoded, any other part may be a piece of it.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPostgresUrl {
    /// The scheme is another one.
    #[error("the PostgreSQL URL does not begin with postgres:// or postgresql://")]
    Scheme,
    /// Unencoded characters make the parts ambiguous.
    #[error("the PostgreSQL URL is ambiguous: reserved characters are not percent-encoded")]
    Ambiguous,
    /// A part is malformed.
    #[error("the PostgreSQL URL is malformed: {0}")]
    Malformed(String),
    /// A parameter is not known.
    #[error("the PostgreSQL URL has an unknown parameter")]
    UnknownParameter,
    /// It names no host.
    #[error("the PostgreSQL URL has no host")]
    NoHost,
    /// `sslmode` has another value.
    #[error("sslmode must be disable, prefer, require, verify-ca or verify-full")]
    SslMode,
    /// `sslrootcert` is given, and `sslmode` verifies nothing.
    #[error("sslrootcert has no effect with sslmode=disable or sslmode=prefer, the default")]
    UnusedRoots,
    /// The system's authorities are to be trusted without verifying the host's name.
    #[error(
        "sslmode=verify-ca is not safe with public certificate authorities, which issue certificates for any host"
    )]
    WeakRoots,
    /// The file of authorities cannot be read.
    #[error("cannot read the certificates in sslrootcert={}", path.display())]
    RootsUnreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: pem::Error,
    },
    /// The file of authorities holds no certificate.
    #[error("sslrootcert={} contains no PEM certificate", .0.display())]
    NoRoots(PathBuf),
    /// The system has no authorities.
    #[error("this system has no trusted certificate authorities")]
    NoSystemRoots,
    /// rustls refused the configuration.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
}

impl Address {
    /// Parses a URL. The defaults notice a dead server within seconds, and do not connect to a standby.
    pub(super) fn parse(url: &str) -> Result<Self, InvalidPostgresUrl> {
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or(InvalidPostgresUrl::Scheme)?;
        if let Some((credentials, rest)) = rest.split_once('@')
            && (credentials.contains(['/', '?']) || rest.contains('@'))
        {
            return Err(InvalidPostgresUrl::Ambiguous);
        }

        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut ssl_mode, mut roots) = (None, None);
        let mut left = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (key, value) = parameter
                .split_once('=')
                .ok_or(InvalidPostgresUrl::Ambiguous)?;
            let decoded = percent_decode_str(value)
                .decode_utf8()
                .map_err(|error| InvalidPostgresUrl::Malformed(error.to_string()))?;
            match key {
                "sslmode" => ssl_mode = Some(decoded),
                "sslrootcert" if decoded == "system" => roots = Some(Roots::System),
                "sslrootcert" => roots = Some(Roots::File(PathBuf::from(&*decoded))),
                key if PARAMETERS.contains(&key) => left.push((key, parameter)),
                _ => return Err(InvalidPostgresUrl::UnknownParameter),
            }
        }
        let says = |key| left.iter().any(|(said, _)| *said == key);

        let parameters: Vec<_> = left.iter().map(|(_, parameter)| *parameter).collect();
        let mut config: Config = format!("{base}?{}", parameters.join("&"))
            .parse()
            .map_err(malformed)?;
        let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
        let on_sockets =
            !hosts.is_empty() && !hosts.iter().any(|host| matches!(host, Host::Tcp(_)));
        let count = u32::try_from(hosts.len().max(addresses.len())).unwrap_or(u32::MAX);
        if count == 0 {
            return Err(InvalidPostgresUrl::NoHost);
        }
        let connect_timeout = config.get_connect_timeout().copied();
        let connect_timeout = connect_timeout.unwrap_or(REACHING / count);
        config.connect_timeout(connect_timeout);
        if !says("tcp_user_timeout") {
            config.tcp_user_timeout(SILENCE);
        }
        if !says("keepalives_idle") {
            config.keepalives_idle(SILENCE);
        }
        if !says("target_session_attrs") {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if !says("application_name") {
            config.application_name("prokura");
        }

        let (ssl_mode, verification) = encryption(ssl_mode.as_deref(), roots)?;
        // As libpq does: a Unix socket has no TLS.
        config.ssl_mode(if on_sockets {
            SslMode::Disable
        } else {
            ssl_mode
        });
        Ok(Self {
            config,
            verification,
            reaching_takes: connect_timeout.saturating_mul(count),
        })
    }
}

/// What `sslmode` and `sslrootcert` mean to libpq.
fn encryption(
    ssl_mode: Option<&str>,
    roots: Option<Roots>,
) -> Result<(SslMode, Verification), InvalidPostgresUrl> {
    use Verification::{Chain, ChainAndName, Nothing};
    Ok(match (ssl_mode.unwrap_or("prefer"), roots) {
        ("disable", None) => (SslMode::Disable, Nothing),
        ("prefer", None) => (SslMode::Prefer, Nothing),
        ("disable" | "prefer", Some(_)) => return Err(InvalidPostgresUrl::UnusedRoots),
        ("require", None) => (SslMode::Require, Nothing),
        ("require" | "verify-ca", Some(Roots::File(path))) => (SslMode::Require, Chain(path)),
        ("require" | "verify-ca", _) => return Err(InvalidPostgresUrl::WeakRoots),
        ("verify-full", roots) => (
            SslMode::Require,
            ChainAndName(roots.unwrap_or(Roots::System)),
        ),
        _ => return Err(InvalidPostgresUrl::SslMode),
    })
}

/// Keeps the reason alone: it names options and positions, never values.
fn malformed(error: tokio_postgres::Error) -> InvalidPostgresUrl {
    let reason = error.into_source();
    InvalidPostgresUrl::Malformed(reason.map_or_else(String::new, |reason| reason.to_string()))
}
