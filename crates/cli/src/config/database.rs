//! `database_url`: a SQLite file or a PostgreSQL server.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context as _;
use serde::Deserialize;

/// A database URL as given. It may contain a password; only [`Database::redacted`] prints it.
#[derive(Clone, Deserialize)]
pub(super) struct DatabaseUrl(String);

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

/// The database to use.
#[derive(Clone)]
pub(crate) enum Database {
    /// The file at this path.
    Sqlite(PathBuf),
    /// The server at this URL.
    Postgres(String),
}

impl Database {
    /// Parses a database URL. Error messages do not repeat the URL, which may contain a password.
    pub(super) fn parse(url: &DatabaseUrl) -> Result<Self, &'static str> {
        let (scheme, rest) = url.0.split_once(':').unwrap_or(("", &url.0));
        match scheme {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() || path.contains('?') || path == ":memory:" {
                    return Err("must be sqlite:PATH, such as sqlite:/var/lib/prokura/prokura.db");
                }
                Ok(Self::Sqlite(path.into()))
            }
            "postgres" | "postgresql" if rest.starts_with("//") => {
                Ok(Self::Postgres(url.0.clone()))
            }
            _ => Err("must be sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE"),
        }
    }

    /// Whether a SQLite file is missing or empty. SQLite treats an empty file as an empty database.
    pub(crate) fn is_empty_file(path: &Path) -> anyhow::Result<bool> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(metadata.is_file() && metadata.len() == 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error).with_context(|| format!("cannot access {}", path.display())),
        }
    }

    /// The URL with passwords replaced by `***`.
    pub(crate) fn redacted(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => redact(url),
        }
    }
}

/// Everything from the first colon of the user to the last `@` counts as the password, so that a password that is not
/// percent-encoded is hidden too.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn database(url: &str) -> Result<Database, &'static str> {
        Database::parse(&DatabaseUrl(url.to_owned()))
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
    fn a_printed_database_url_has_no_password() {
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
}
