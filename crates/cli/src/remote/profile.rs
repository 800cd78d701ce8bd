//! `prokura profile`.

use std::{
    fs,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use prokura_client::{Client, ClientCredentials, HttpOptions, wire::Secret};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;

use super::{
    print::{self, Cell, Format},
    profiles::{Profile, Profiles},
};
use crate::{Failure, first_start::Credentials};

/// What can be done with profiles.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add a profile
    ///
    /// The first one is the current one from then on. Profiles are kept in profiles.toml in your configuration directory
    /// ($XDG_CONFIG_HOME/prokura, or ~/.config/prokura), which only you can read, secrets included.
    #[command(after_help = ADD_EXAMPLE)]
    Add(Add),

    /// List the profiles, without their secrets
    List {
        #[command(flatten)]
        output: print::Options,
    },

    /// Make a profile the current one
    Use {
        /// Its name
        name: String,
    },

    /// Remove a profile
    Remove {
        /// Its name
        name: String,
    },
}

/// What a profile is made of.
#[derive(clap::Args)]
pub(crate) struct Add {
    /// Its name
    #[arg(default_value = "default")]
    name: String,

    /// Take URL, client id and secret from this file, as the first start and `prokura bootstrap --json` write it; - is
    /// standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "client_id", "client_secret_file"], required_unless_present_all = ["url", "client_id"])]
    from: Option<PathBuf>,

    /// The server's public URL
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// The client id
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// The file with the client secret; without it, it is read from standard input
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,

    /// Replace a profile of this name
    #[arg(long)]
    replace: bool,
}

const ADD_EXAMPLE: &str = "\
Examples:
  prokura profile add --from prokura-data/bootstrap.json
  prokura profile add production --url https://prokura.example.com --client-id sa_… \\
      --client-secret-file secret.txt";

/// Does what is asked for.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(arguments) => add(arguments),
        Command::List { output } => list(output.format()),
        Command::Use { name } => {
            let mut all = Profiles::load()?;
            all.get(&name)?;
            all.current = Some(name.clone());
            all.save()?;
            print::say(&format!("The profile {name:?} is the current one."))
        }
        Command::Remove { name } => {
            let mut all = Profiles::load()?;
            all.get(&name)?;
            all.profiles.remove(&name);
            all.current = all.current.filter(|current| *current != name);
            all.save()?;
            print::say(&format!("Removed the profile {name:?}."))
        }
    }
}

fn add(arguments: Add) -> Result<(), Failure> {
    let name = arguments.name.clone();
    let mut all = Profiles::load()?;
    if all.profiles.contains_key(&name) && !arguments.replace {
        return Err(Failure::usage(format!(
            "there is a profile {name:?} already; give another name, or --replace"
        )));
    }
    let profile = new_profile(arguments)?;
    let said = format!("Added the profile {name:?}: {}", profile.url);
    all.profiles.insert(name.clone(), profile);
    let current = all.current.get_or_insert_with(|| name.clone());
    let said = if *current == name {
        format!("{said}. It is the current one.")
    } else {
        format!("{said}. `prokura profile use {name}` makes it the current one.")
    };
    all.save()?;
    print::say(&said)
}

fn new_profile(arguments: Add) -> anyhow::Result<Profile> {
    let profile = match arguments.from {
        Some(path) => from_file(&path)?,
        None => Profile {
            url: arguments.url.unwrap_or_default(),
            client_id: arguments.client_id.unwrap_or_default(),
            client_secret: secret(arguments.client_secret_file.as_deref())?,
        },
    };
    // A URL that is none is told now, and not at the first use.
    let credentials = ClientCredentials::new(&profile.client_id, profile.client_secret.expose());
    let http = HttpOptions::new().allow_plain_http();
    Client::builder(&profile.url, credentials)
        .http(http)
        .build()?;
    Ok(profile)
}

fn from_file(path: &Path) -> anyhow::Result<Profile> {
    let text = if path == Path::new("-") {
        io::read_to_string(io::stdin()).context("cannot read standard input")?
    } else {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
    };
    // The cause may quote what is in the file.
    let Ok(credentials) = serde_json::from_str::<Credentials>(&text) else {
        bail!(
            "{} is not what the first start and `prokura bootstrap --json` write",
            path.display()
        );
    };
    Ok(Profile {
        url: credentials.url,
        client_id: credentials.client_id,
        client_secret: Secret::new(credentials.client_secret),
    })
}

fn secret(file: Option<&Path>) -> anyhow::Result<Secret> {
    let text = match file {
        Some(path) => {
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
        }
        None => read_secret().context("cannot read the secret from standard input")?,
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        bail!("the secret is empty");
    }
    Ok(Secret::new(text))
}

/// Reads standard input; on a terminal one line, which is not shown.
fn read_secret() -> io::Result<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let mut text = String::new();
        stdin.lock().read_to_string(&mut text)?;
        return Ok(text);
    }
    let shown = tcgetattr(&stdin)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    let mut terminal = io::stderr();
    // Before the question is there to be answered.
    tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
    write!(terminal, "Client secret: ")?;
    let mut line = String::new();
    let read = stdin.read_line(&mut line);
    tcsetattr(&stdin, OptionalActions::Flush, &shown)?;
    writeln!(terminal)?;
    read.map(|_| line)
}

fn list(format: Format) -> Result<(), Failure> {
    let all = Profiles::load()?;
    let is_current = |name: &String| all.current.as_ref() == Some(name);
    let items = all.profiles.iter().map(|(name, profile)| {
        json!({
            "name": name,
            "url": profile.url,
            "clientId": profile.client_id,
            "current": is_current(name),
        })
    });
    let items = items.collect::<Vec<_>>();
    let rows = all.profiles.iter().map(|(name, profile)| {
        let mark = if is_current(name) { "*" } else { "" };
        vec![
            Cell::good(mark),
            Cell::plain(name),
            Cell::plain(&profile.url),
            Cell::plain(&profile.client_id),
        ]
    });
    let rows = rows.collect::<Vec<_>>();
    print::whole(
        format,
        &["", "NAME", "URL", "CLIENT ID"],
        &rows,
        &items,
        &json!({ "items": items }),
    )
}
