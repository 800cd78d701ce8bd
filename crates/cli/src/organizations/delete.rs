//! `prokura organizations delete`.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use prokura_server::{
    audit_export,
    authority::Authority,
    store::{ListedOrganization, SqliteAccess},
};

use super::listed_organization::print_done;
use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
    remote::{confirm, print},
};

/// The arguments of `prokura organizations delete`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Organization: its name or its ID
    organization: String,

    /// Write the audit trail to this new file first, in the format of `prokura audit export`
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,

    #[command(flatten)]
    confirm: confirm::Options,

    #[command(flatten)]
    output: print::Options,

    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  prokura organizations delete Example --export example-audit.ndjson
  prokura organizations delete Example --yes";

/// Deletes the organization.
pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let must_ask = arguments.confirm.must_ask()?;
    let authority = authority::open_existing(config, SqliteAccess::Command).await?;
    let organization = authority.find_organization(&arguments.organization).await?;
    let mut export = arguments.export.clone();
    if must_ask {
        print::note(&format!(
            "This deletes the organization {:?} for good: {} service accounts with their secrets and tokens, and {} audit events.",
            organization.name, organization.service_accounts, organization.audit_events
        ));
        if export.is_none() {
            let file = confirm::read(
                "Write the audit trail to a file first? Enter its name, or nothing to go on: ",
            )?;
            export = Some(file)
                .filter(|file| !file.is_empty())
                .map(PathBuf::from);
        }
        let typed = confirm::read("Enter the name of the organization to delete it: ")?;
        if typed != organization.name {
            return Err(Failure::new("cancelled; nothing was changed"));
        }
    }
    // Disabled first, so that the exported trail is complete.
    let organization = authority.disable_organization(&organization).await?;
    if let Some(path) = &export {
        let events = export_events(&authority, &organization, path).await?;
        print::note(&format!(
            "Wrote {events} audit events to {}.",
            path.display()
        ));
    }
    authority.delete_organization(&organization).await?;
    let format = arguments.output.format();
    print_done(format, "Deleted the organization", &organization.into())
}

/// Writes the audit trail to a new file that only its owner can read. Returns the number of events.
async fn export_events(
    authority: &Authority,
    organization: &ListedOrganization,
    path: &Path,
) -> Result<u64, Failure> {
    let writing = || format!("cannot write {}", path.display());
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let file = file.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(format!("{} already exists", path.display()))
            .hint("name a new file with --export; existing files are not overwritten"),
        _ => Failure::new(format!("{}: {error}", writing())),
    })?;
    let mut file = BufWriter::new(file);
    let (mut after, mut count) = (0, 0);
    loop {
        let events = authority.read_audit_events(organization.id, after).await?;
        let Some(last) = events.last() else { break };
        after = last.sequence;
        for event in &events {
            writeln!(file, "{}", audit_export::to_line(event)).with_context(writing)?;
            count += 1;
        }
    }
    let file = file.into_inner().map_err(io::IntoInnerError::into_error);
    file.and_then(|file| file.sync_all())
        .with_context(writing)?;
    Ok(count)
}
