//! `prokura check`. It creates nothing and changes nothing.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use anyhow::Context as _;
use prokura_server::{
    authority::{Clock as _, DataKeysError, SystemClock, UsedMasterKey},
    domain::{Resource, TokenFormat},
    store::{SqliteAccess, Store},
};
use toml::Value;

use crate::{
    authority,
    config::{Config, Database},
    failure::Failure,
    master_key::{self, Found},
    tls,
};

/// Prints the effective configuration and the state of the certificate, the master key and the database.
pub(crate) async fn run(config: &Config) -> Result<(), Failure> {
    print(&effective(config)?)?;
    if let Some(files) = &config.tls {
        let expires_at = tls::read(files, &config.public_url(config.listen))?.expires_at();
        print(&if SystemClock.now()? < expires_at {
            format!("# The certificate matches its key and is valid until {expires_at}.\n")
        } else {
            format!(
                "# The certificate matches its key, but expired at {expires_at}. Clients reject it.\n"
            )
        })?;
    }
    let key = master_key::find(config)?;
    match &key {
        Found::Keys(_) => print("# The master key exists and is valid.\n")?,
        Found::Missing(path) => print(&format!(
            "# The master key file {} does not exist yet. `prokura serve` will create it.\n",
            path.display()
        ))?,
    }
    if let Database::Sqlite(path) = &config.database
        && Database::is_empty_file(path)?
    {
        return print(&format!(
            "# The database {} does not exist yet. `prokura serve` will create it.\n",
            path.display()
        ));
    }
    let store = authority::open_store(config, SqliteAccess::Inspection)?;
    check_store(&store, key).await
}

async fn check_store(store: &Store, key: Found) -> Result<(), Failure> {
    let (found, known) = store
        .schema_version()
        .await
        .context("cannot use the database")?;
    let Some(found) = found.filter(|&version| version > 0) else {
        return print("# The database is reachable and empty. `prokura serve` will set it up.\n");
    };
    print(&format!(
        "# The database is reachable. Its schema has version {found}"
    ))?;
    print(&match found {
        found if found < known => format!(", which `prokura serve` will upgrade to {known}.\n"),
        _ => ", the newest this version of Prokura knows.\n".to_owned(),
    })?;
    match (key, store.installation().await?) {
        (_, None) => print("# It has no master key yet.\n"),
        (Found::Keys(keys), Some((check, _))) if keys.find(check).is_none() => {
            Err(DataKeysError::WrongMasterKey.into())
        }
        (key, Some((check, bootstrapped_at))) => {
            let used = match &key {
                Found::Keys(keys) => keys.find(check).map(|(used, _)| used),
                Found::Missing(_) => None,
            };
            print(match used {
                Some(UsedMasterKey::Next) => "# The next master key matches the database.\n",
                _ => "# The master key matches the database.\n",
            })?;
            print(match bootstrapped_at {
                Some(_) => "# The first organization exists.\n",
                None => {
                    "# There is no organization yet. `prokura serve` will create the first one.\n"
                }
            })
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::output)
}

/// The configuration as the text of a file, with the origin of each value in a comment.
fn effective(config: &Config) -> Result<String, Failure> {
    let mut text = String::new();
    let path = |path: &std::path::Path| Value::from(path.display().to_string());
    let (management, resources) = config.resources(config.listen)?;
    let master_key_file = config
        .master_key_file
        .clone()
        .unwrap_or_else(|| config.data_dir.join(master_key::DEFAULT_NAME));
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
        ("log_level", Value::from(config.log_level.as_str())),
        ("log_format", Value::from(config.log_format.as_str())),
    ] {
        match config.origins.get(key) {
            Some(origin) => writeln!(text, "{key} = {value}  # {origin}")?,
            // In a comment, so that the output is a file with the same meaning.
            None => writeln!(text, "# {key} = {value}  # derived")?,
        }
    }
    if let Some(file) = &config.next_master_key_file {
        let origin = config.origins.get("next_master_key_file");
        let origin = origin.map(ToString::to_string).unwrap_or_default();
        writeln!(text, "next_master_key_file = {}  # {origin}", path(file))?;
    }
    if config.public_url.is_none() && config.listen.port() == 0 {
        writeln!(
            text,
            "# The public URL will have the port that the server picks."
        )?;
    }

    if let Some(files) = &config.tls {
        writeln!(
            text,
            "\n[tls]\ncertificate = {}\nkey = {}",
            path(&files.certificate),
            path(&files.key)
        )?;
    }
    writeln!(text, "\n[management_api]  # {}", management.identifier)?;
    text.push_str(&tokens(&management));
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
    writeln!(
        text,
        "\n[keys]\nrotation_days = {}",
        config.signing_key_rotation_days
    )?;
    for configured in &resources {
        let resource = &configured.resource;
        writeln!(
            text,
            "\n[[resources]]\nidentifier = {}",
            Value::from(&*resource.identifier)
        )?;
        let scopes = resource.scopes.iter().map(Value::from).collect::<Vec<_>>();
        writeln!(text, "scopes = {}", Value::from(scopes))?;
        text.push_str(&tokens(resource));
        if let Some(organization) = &configured.organization {
            writeln!(text, "organization = {}", Value::from(&**organization))?;
        }
        if configured.is_shared {
            writeln!(text, "shared = true")?;
        }
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
