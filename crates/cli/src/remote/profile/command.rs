//! `prokura profile`.

use serde_json::json;

use super::{
    add::{self, Add},
    store::Profiles,
};
use crate::{
    failure::Failure,
    remote::print::{self, Cell, Format},
};

/// The subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add a profile
    ///
    /// The first profile becomes the current one. Profiles are stored, including their secrets, in profiles.toml in your
    /// configuration directory ($XDG_CONFIG_HOME/prokura or ~/.config/prokura). Only you can read the file.
    #[command(after_help = add::EXAMPLES)]
    Add(Add),

    /// List the profiles, without their secrets
    List {
        #[command(flatten)]
        output: print::Options,
    },

    /// Select the current profile
    Use {
        /// Name of the profile
        name: String,
    },

    /// Remove a profile
    Remove {
        /// Name of the profile
        name: String,
    },
}

/// The examples of `prokura profile --help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  prokura profile add --from prokura-data/bootstrap.json
  prokura profile add production --url https://prokura.example.com --client-id sa_…
  prokura profile use production
  prokura service-accounts list --profile default";

/// Runs a subcommand.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(arguments) => add::run(arguments),
        Command::List { output } => list(output.format()),
        Command::Use { name } => {
            let mut all = Profiles::load()?;
            all.get(&name)?;
            all.current = Some(name.clone());
            all.save()?;
            print::say(&format!("The current profile is now {name:?}."))
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
