//! The values of settings, each parsed where it enters, from a flag, a variable or a file alike.

use std::{
    fmt, fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context as _;
use prokura_server::domain::{
    MANAGEMENT_SCOPES, MAX_RESOURCE_TOKEN_LIFETIME_SECONDS, ScopeSet, SigningAlgorithm, TokenFormat,
};
use serde::Deserialize;
use url::{Host, Url};

/// Where to listen.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ListenAddress(pub(crate) SocketAddr);

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = text.parse().map_err(|_| {
            "must be an IP address and a port, like 127.0.0.1:8080 or [::1]:8080".to_owned()
        })?;
        Ok(Self(address))
    }
}

/// The URL under which clients reach the server: http or https, no query, no fragment, no user, no slash at the end. Its
/// spelling is normalized, since issuers are compared to the letter (RFC 8414 §3.3).
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PublicUrl(Url);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| {
            format!("must be a whole URL, like https://prokura.example.com: {error}")
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("must begin with https:// or http://".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must have no query and no fragment".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must have no user and no password".to_owned());
        }
        Ok(Self(url))
    }
}

impl PublicUrl {
    /// The default, for a server that listens on `address` and speaks `scheme`.
    pub(crate) fn of_listener(scheme: &str, address: SocketAddr) -> Self {
        let url = Url::parse(&format!("{scheme}://{address}"));
        Self(url.expect("a socket address makes a URL"))
    }

    /// A name, or an address without brackets.
    pub(crate) fn host(&self) -> String {
        match self.0.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => self.0.host_str().unwrap_or_default().to_owned(),
        }
    }

    /// Whether clients are led to TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it may stand for plain HTTP without further ado.
    pub(crate) fn is_https_or_loopback(&self) -> bool {
        self.is_https()
            || match self.0.host() {
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            }
    }

    /// The same URL with `localhost` for `127.0.0.1`, or the other way around. `None`: its host is neither.
    pub(crate) fn loopback_twin(&self) -> Option<Self> {
        let twin = match self.0.host()? {
            Host::Domain("localhost") => "127.0.0.1",
            Host::Ipv4(Ipv4Addr::LOCALHOST) => "localhost",
            _ => return None,
        };
        let mut url = self.0.clone();
        url.set_host(Some(twin)).ok()?;
        Some(Self(url))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// A database URL as given. It may hold a password, so nothing prints it but [`Database::redacted`].
#[derive(Clone, Deserialize)]
pub(crate) struct DatabaseUrl(String);

impl FromStr for DatabaseUrl {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(..)")
    }
}

/// Which database to use.
#[derive(Clone)]
pub(crate) enum Database {
    /// The file at this path.
    Sqlite(PathBuf),
    /// The server at this URL.
    Postgres(String),
}

impl Database {
    /// Reads a database URL. The message of a refusal does not repeat it: it may hold a password.
    pub(crate) fn parse(url: &DatabaseUrl) -> Result<Self, String> {
        let (scheme, rest) = url.0.split_once(':').unwrap_or(("", &url.0));
        match scheme {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() || path.contains('?') || path == ":memory:" {
                    return Err(
                        "must name a file and nothing else behind `sqlite:`, like sqlite:/var/lib/prokura/prokura.db"
                            .to_owned(),
                    );
                }
                Ok(Self::Sqlite(path.into()))
            }
            "postgres" | "postgresql" if rest.starts_with("//") => Ok(Self::Postgres(url.0.clone())),
            _ => Err(
                "must be sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or postgresql://… of the same form"
                    .to_owned(),
            ),
        }
    }

    /// Whether there is nothing at a SQLite file's path, or an empty file, which SQLite takes for an empty database.
    pub(crate) fn is_empty_file(path: &Path) -> anyhow::Result<bool> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(metadata.is_file() && metadata.len() == 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error).with_context(|| format!("cannot look for {}", path.display())),
        }
    }

    /// The URL, without passwords.
    pub(crate) fn redacted(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => redact(url),
        }
    }
}

/// Rather hides too much than too little: everything from the first colon of the user to the last `@` is the password.
fn redact(url: &str) -> String {
    const HIDDEN: &str = "***";
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = match rest.rsplit_once('@') {
        Some((user, rest)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:{HIDDEN}@{rest}"),
            None => format!("{user}@{rest}"),
        },
        None => rest.to_owned(),
    };
    let rest = match rest.split_once('?') {
        Some((rest, query)) => {
            let pairs = query.split('&').map(|pair| match pair.split_once('=') {
                Some((name, _)) if name.contains("pass") => format!("{name}={HIDDEN}"),
                _ => pair.to_owned(),
            });
            format!("{rest}?{}", pairs.collect::<Vec<_>>().join("&"))
        }
        None => rest,
    };
    format!("{scheme}://{rest}")
}

/// A name of a resource: an absolute URI without fragment (RFC 8707 §2), kept to the letter.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Identifier(pub(crate) String);

impl Identifier {
    const MAX_BYTES: usize = 255;
}

impl FromStr for Identifier {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > Self::MAX_BYTES {
            return Err(format!("must be at most {} bytes long", Self::MAX_BYTES));
        }
        let printable = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
        if !text.bytes().all(printable) {
            return Err(
                "must be printable ASCII without spaces, quotes and backslashes".to_owned(),
            );
        }
        if text.contains('#') {
            return Err("must have no fragment (RFC 8707)".to_owned());
        }
        // RFC 3986 §3.1.
        let is_absolute = text.split_once(':').is_some_and(|(scheme, rest)| {
            !rest.is_empty()
                && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        });
        if !is_absolute {
            return Err(
                "must be an absolute URI, like https://orders.example.com or urn:example:orders"
                    .to_owned(),
            );
        }
        Ok(Self(text.to_owned()))
    }
}

/// The scopes of a resource that is not the management API: at least one.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct Scopes(pub(crate) ScopeSet);

impl TryFrom<Vec<String>> for Scopes {
    type Error = String;

    fn try_from(scopes: Vec<String>) -> Result<Self, String> {
        if scopes.is_empty() {
            return Err("must hold at least one scope".to_owned());
        }
        for scope in &scopes {
            // The whole prefix, so that a scope of a later version meets none that is configured today.
            if scope.starts_with("management:") || MANAGEMENT_SCOPES.contains(&scope.as_str()) {
                return Err(format!(
                    "must not hold {scope:?}, which belongs to the management API"
                ));
            }
            if ScopeSet::from_tokens([scope.as_str()]).is_err() {
                return Err(format!(
                    "must hold scopes of printable ASCII without spaces, quotes and backslashes (RFC 6749 §3.3), and \
                     {scope:?} is none"
                ));
            }
        }
        ScopeSet::from_tokens(scopes.iter().map(String::as_str))
            .map(Self)
            .map_err(|error| error.to_string())
    }
}

/// How tokens look, before the algorithm is known.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Only Prokura reads it.
    Opaque,
    /// RFC 9068.
    Jwt,
}

impl Format {
    /// The format, signed with `algorithm` if it is signed at all.
    pub(crate) const fn signed_with(self, algorithm: Algorithm) -> TokenFormat {
        match self {
            Self::Opaque => TokenFormat::Opaque,
            Self::Jwt => TokenFormat::Jwt(algorithm.0),
        }
    }
}

/// What signs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Algorithm(pub(crate) SigningAlgorithm);

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        SigningAlgorithm::parse(text)
            .map(Self)
            .ok_or_else(|| format!("must be \"ES256\", \"EdDSA\" or \"RS256\", not {text:?}"))
    }
}

/// How long tokens live, in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(crate) struct LifetimeSeconds(pub(crate) u32);

impl TryFrom<i64> for LifetimeSeconds {
    type Error = String;

    fn try_from(seconds: i64) -> Result<Self, String> {
        u32::try_from(seconds)
            .ok()
            .filter(|seconds| (1..=MAX_RESOURCE_TOKEN_LIFETIME_SECONDS).contains(seconds))
            .map(Self)
            .ok_or_else(|| {
                format!("must be 1 to {MAX_RESOURCE_TOKEN_LIFETIME_SECONDS}, not {seconds}")
            })
    }
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How the log looks. `Auto`: human on a terminal, JSON elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Auto,
    Human,
    Json,
}

macro_rules! from_text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
    )*};
}

from_text!(ListenAddress, PublicUrl, Identifier, Algorithm);

/// Whether only this machine reaches a listener on `address`.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(url: &str) -> Result<Database, String> {
        Database::parse(&DatabaseUrl(url.to_owned()))
    }

    #[test]
    fn a_public_url_has_one_spelling() {
        for (given, kept) in [
            ("https://Auth.Example.com:443/", "https://auth.example.com"),
            (
                "https://example.com/prokura/",
                "https://example.com/prokura",
            ),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://[::1]:8080//", "http://[::1]:8080"),
        ] {
            assert_eq!(given.parse::<PublicUrl>().unwrap().to_string(), kept);
        }
        for refused in [
            "",
            "example.com",
            "/api",
            "ftp://example.com",
            "https://example.com?",
            "https://example.com/#",
            "https://user@example.com",
            "https://:pass@example.com",
            "https://",
        ] {
            assert!(refused.parse::<PublicUrl>().is_err(), "{refused:?}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for (url, fine) in [
            ("https://example.com", true),
            ("http://localhost", true),
            ("http://127.9.9.9:1", true),
            ("http://[::1]", true),
            ("http://example.com", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            let url = url.parse::<PublicUrl>().unwrap();
            assert_eq!(url.is_https_or_loopback(), fine, "{url}");
        }
    }

    #[test]
    fn localhost_and_127_0_0_1_are_twins() {
        let twin = |url: &str| {
            url.parse::<PublicUrl>()
                .unwrap()
                .loopback_twin()
                .map(|url| url.to_string())
        };
        assert_eq!(
            twin("http://127.0.0.1:8080/p").as_deref(),
            Some("http://localhost:8080/p")
        );
        assert_eq!(
            twin("https://localhost").as_deref(),
            Some("https://127.0.0.1")
        );
        assert_eq!(twin("http://[::1]:8080"), None);
        assert_eq!(twin("https://example.com"), None);
    }

    #[test]
    fn a_database_is_a_file_or_a_postgresql_server() {
        for (url, path) in [
            ("sqlite:/var/lib/p.db", "/var/lib/p.db"),
            ("sqlite:p.db", "p.db"),
            ("sqlite:///var/lib/p.db", "/var/lib/p.db"),
            ("sqlite://p.db", "p.db"),
        ] {
            assert!(
                matches!(database(url), Ok(Database::Sqlite(found)) if found.as_os_str() == path),
                "{url}"
            );
        }
        assert!(matches!(
            database("postgres://h/d"),
            Ok(Database::Postgres(_))
        ));
        assert!(matches!(
            database("postgresql://h/d"),
            Ok(Database::Postgres(_))
        ));
        for url in [
            "",
            "p.db",
            "mysql://h/d",
            "sqlite:",
            "sqlite://",
            "sqlite::memory:",
            "sqlite:p.db?mode=rwc",
            "postgres:h",
        ] {
            assert!(database(url).is_err(), "{url:?}");
        }
    }

    #[test]
    fn a_shown_database_url_has_no_password() {
        for (url, shown) in [
            ("postgres://u:s3cret@h/d", "postgres://u:***@h/d"),
            (
                "postgres://u:s3/c@r?et@h:1,i:2/d",
                "postgres://u:***@h:1,i:2/d",
            ),
            (
                "postgres://u@h/d?password=s3cret&sslmode=require",
                "postgres://u@h/d?password=***&sslmode=require",
            ),
            ("postgresql://h/d", "postgresql://h/d"),
        ] {
            assert_eq!(database(url).unwrap().redacted(), shown);
        }
    }

    #[test]
    fn an_identifier_is_an_absolute_uri() {
        for fine in [
            "https://orders.example.com",
            "urn:example:orders",
            "api://orders",
            "https://x/y?z",
        ] {
            assert!(fine.parse::<Identifier>().is_ok(), "{fine:?}");
        }
        let long = format!("urn:{}", "a".repeat(1_000));
        for refused in [
            "",
            "orders",
            "urn:",
            ":x",
            "1a:x",
            "https://x/#y",
            "https://x/ y",
            "urn:\"",
            "urn:'",
            "urn:é",
            &*long,
        ] {
            assert!(refused.parse::<Identifier>().is_err(), "{refused:?}");
        }
    }

    #[test]
    fn the_scopes_of_a_resource_are_its_own() {
        let scopes = |scopes: &[&str]| {
            Scopes::try_from(
                scopes
                    .iter()
                    .map(|&scope| scope.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert!(scopes(&["orders:read", "orders:write"]).is_ok());
        for refused in [
            &[][..],
            &["a b"],
            &[""],
            &["management:all"],
            &["management:later"],
            &["a", "tokens:introspect"],
        ] {
            assert!(scopes(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_lifetime_is_a_second_to_a_year() {
        for (seconds, fine) in [
            (0, false),
            (-1, false),
            (1, true),
            (31_536_000, true),
            (31_536_001, false),
            (1 << 40, false),
        ] {
            assert_eq!(
                LifetimeSeconds::try_from(seconds).is_ok(),
                fine,
                "{seconds}"
            );
        }
    }
}
