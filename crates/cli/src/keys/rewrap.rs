//! `prokura keys rewrap`.

use std::path::PathBuf;

use prokura_server::{
    authority::{Rewrapped, SystemEntropy, rewrap_data_keys},
    store::SqliteAccess,
};

use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
    master_key::{self, Found},
    remote::print,
};

/// The arguments of `prokura keys rewrap`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// File with the new master key, 32 bytes in base64
    #[arg(long, value_name = "FILE")]
    new_master_key_file: PathBuf,

    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) const EXAMPLES: &str = "\
Steps, without an outage:

  1. Create the new key:             (umask 077; openssl rand -base64 32 > new-master.key)
  2. Copy it to every node. A node that may restart meanwhile gets both keys: --next-master-key-file new-master.key
  3. Change the key, on one node:    prokura keys rewrap --new-master-key-file new-master.key
  4. On every node, replace the master key file by the new one. No restart is needed.

The command is one transaction: after a crash the database has either the old key or the new one. Repeat the command to find
out; it changes nothing if the database has the new key. Keep the old key as long as you keep backups from before.

Examples:
  prokura keys rewrap --new-master-key-file new-master.key --config /etc/prokura.toml
  prokura keys rewrap --new-master-key-file new-master.key --data-dir /var/lib/prokura";

/// Seals the data keys with the new master key, and prints what to do next.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let new_file = &arguments.new_master_key_file;
    let new = master_key::open(new_file)?;
    drop(authority::open_current_store(config, SqliteAccess::Inspection).await?);
    let masters = match master_key::find(config)? {
        Found::Keys(masters) => masters,
        Found::Missing(path) => {
            return Err(Failure::new(format!(
                "the master key file {} does not exist",
                path.display()
            )));
        }
    };
    let store = authority::open_existing_store(config, SqliteAccess::Command).await?;
    let rewrapped = rewrap_data_keys(&store, &masters, &new, &SystemEntropy::default()).await?;
    print::say(match rewrapped {
        Rewrapped::Now => "The database has the new master key now.",
        Rewrapped::Before => "The database has this master key already; nothing was changed.",
    })?;
    let new_file = new_file.display();
    print::say(&match &config.master_key_file {
        Some(file) => format!(
            "\
Running nodes go on. A node that starts needs the new key, so on every node replace the file:
  mv {new_file} {}
and remove next_master_key_file from its configuration. Back up the new key.",
            file.display()
        ),
        None => format!(
            "\
A running server goes on. Its next start needs the new key, so replace the file now:
  mv {new_file} {}
Back up the new key.",
            config.data_dir.join(master_key::DEFAULT_NAME).display()
        ),
    })?;
    print::say("Keep the old key as long as you keep backups of the database from before.")
}
