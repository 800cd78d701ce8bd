//! `prokura check`: it makes nothing and changes nothing.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use anyhow::{Context as _, bail};
use prokura_server::{
    authority::{Clock as _, SystemClock},
    domain::{Resource, TokenFormat},
    store::{SqliteAccess, Store},
};
use toml::Value;

use crate::{
    authority,
    config::{Config, Database, LogFormat, LogLevel},
    master_key::{self, Found},
    tls,
};

/// Prints the effective configuration and what is found of certificate, master key and database.
pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    print(&effective(config)?)?;
    if let Some(files) = &config.tls {
        let expires_at = tls::read(files, &config.public_url(config.listen))?.expires_at();
        print(&if SystemClock.now()? < expires_at {
            format!("# The certificate has its key and is good until {expires_at}.\n")
        } else {
            format!(
                "# The certificate has its key, but expired at {expires_at}; clients refuse it.\n"
            )
        })?;
    }
    let key = master_key::find(config)?;
    match &key {
        Found::Key(_) => print("# The master key is there and well-formed.\n")?,
        Found::ToBeMade(path) => print(&format!(
            "# There is no master key at {} yet; `prokura serve` will make it.\n",
            path.display()
        ))?,
    }
    if let Database::Sqlite(path) = &config.database
        && Database::is_empty_file(path)?
    {
        return print(&format!(
            "# There is no database at {} yet; `prokura serve` will make it.\n",
            path.display()
        ));
    }
    let store = authority::open_store(config, SqliteAccess::Inspection)?;
    check_store(&store, key).await
}

async fn check_store(store: &Store, key: Found) -> anyhow::Result<()> {
    let (found, known) = store
        .schema_version()
        .await
        .context("the database cannot be used")?;
    let Some(found) = found.filter(|&version| version > 0) else {
        return print("# The database is reachable and empty; `prokura serve` will set it up.\n");
    };
    print(&format!(
        "# The database is reachable; its schema has version {found}"
    ))?;
    print(&match found {
        found if found < known => format!(", and `prokura serve` will bring it to {known}.\n"),
        _ => ", the newest that this build knows.\n".to_owned(),
    })?;
    match (key, store.installation().await?) {
        (_, None) => print("# It belongs to no master key yet.\n"),
        (Found::Key(key), Some((check, _))) if key.check_value() != check => {
            bail!(
                "this is not the master key that the database was made with; give the right one with --master-key-file"
            )
        }
        (_, Some((_, bootstrapped_at))) => {
            print("# The master key is the database's own.\n")?;
            print(match bootstrapped_at {
                Some(_) => "# The first organization has been made.\n",
                None => "# There is no organization yet; `prokura serve` will make the first.\n",
            })
        }
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}

/// The configuration as a file would say it, with where each value comes from.
fn effective(config: &Config) -> anyhow::Result<String> {
    let mut text = String::new();
    let path = |path: &std::path::Path| Value::from(path.display().to_string());
    let resources = config.resources(config.listen)?;
    let master_key_file = config
        .master_key_file
        .clone()
        .unwrap_or_else(|| config.data_dir.join("master.key"));
    let url = config.public_url(config.listen).to_string();
    for (key, value) in [
        ("data_dir", path(&config.data_dir)),
        ("database_url", Value::from(config.database.redacted())),
        (
            "database_connections",
            Value::from(i64::from(config.database_connections.get())),
        ),
        ("listen", Value::from(config.listen.to_string())),
        ("public_url", Value::from(url)),
        (
            "tls_terminated_upstream",
            Value::from(config.tls_terminated_upstream),
        ),
        ("master_key_file", path(&master_key_file)),
        ("log_level", Value::from(level(config.log_level))),
        ("log_format", Value::from(format(config.log_format))),
    ] {
        match config.origins.get(key) {
            Some(origin) => writeln!(text, "{key} = {value}  # {origin}")?,
            // A comment, so that what is shown, read as a file, means the same.
            None => writeln!(text, "# {key} = {value}  # follows from the others")?,
        }
    }
    if config.public_url.is_none() && config.listen.port() == 0 {
        writeln!(text, "# The public URL will have the port that is picked.")?;
    }

    if let Some(files) = &config.tls {
        writeln!(
            text,
            "\n[tls]\ncertificate = {}\nkey = {}",
            path(&files.certificate),
            path(&files.key)
        )?;
    }
    let management = resources.management();
    writeln!(text, "\n[management_api]  # {}", management.identifier)?;
    text.push_str(&tokens(management));
    let aliases = management
        .aliases
        .iter()
        .cloned()
        .map(Value::from)
        .collect::<Vec<_>>();
    writeln!(text, "aliases = {}", Value::from(aliases))?;
    writeln!(
        text,
        "\n[rotation]\nmax_grace_period_seconds = {}\nsafe_to_revoke_after_seconds = {}",
        config.rotation.max_grace_period_seconds, config.rotation.safe_to_revoke_after_seconds
    )?;
    for resource in resources.iter().skip(1) {
        writeln!(
            text,
            "\n[[resources]]\nidentifier = {}",
            Value::from(&*resource.identifier)
        )?;
        let scopes = resource.scopes.iter().map(Value::from).collect::<Vec<_>>();
        writeln!(text, "scopes = {}", Value::from(scopes))?;
        text.push_str(&tokens(resource));
    }
    text.push('\n');
    Ok(text)
}

fn tokens(resource: &Resource) -> String {
    let format = match resource.token_format {
        TokenFormat::Opaque => "token_format = \"opaque\"\n".to_owned(),
        TokenFormat::Jwt(algorithm) => {
            format!(
                "token_format = \"jwt\"\nsigning_algorithm = \"{}\"\n",
                algorithm.as_str()
            )
        }
    };
    format!(
        "{format}token_lifetime_seconds = {}\n",
        resource.token_lifetime_seconds
    )
}

const fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}

const fn format(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Auto => "auto",
        LogFormat::Human => "human",
        LogFormat::Json => "json",
    }
}
