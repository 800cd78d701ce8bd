//! `prokura audit verify`: it changes nothing.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::ArgGroup;
use prokura_server::{
    audit_export,
    domain::{BrokenChain, ChainHead, OrganizationId, Verifier},
    store::{SqliteAccess, Store},
};

use crate::{
    authority,
    config::{Config, Database, Options},
};

/// How many events are in memory at once.
const CHUNK: usize = 500;

/// What can be asked of the audit trail.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Check that no event was altered, removed or inserted
    ///
    /// It checks every organization in the database, or one, or the file of an export. For each it prints how many events
    /// there are and the hash of the last, the head. Keep the head elsewhere: given with --head later, it proves that
    /// nothing up to it was changed meanwhile, not even by somebody who wrote the whole chain anew.
    #[command(after_help = VERIFY_EXAMPLE)]
    Verify(VerifyArguments),
}

const VERIFY_EXAMPLE: &str = "\
It may run beside a server. It exits with 0 if every chain is whole, and with 1 otherwise, naming the event.

Example: prokura audit verify --data-dir /var/lib/prokura
Example: prokura audit verify --file audit.ndjson --head 9f86d081…";

/// What `prokura audit verify` is asked.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("one chain").args(["organization", "file"])))]
pub(crate) struct VerifyArguments {
    /// Check this organization alone
    #[arg(long, value_name = "ID", value_parser = organization)]
    organization: Option<OrganizationId>,

    /// Check this export (of GET /api/v1/audit-events/export) instead of the database
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// An event must have this hash: a head printed earlier. Needs --file or --organization
    #[arg(long, value_name = "HASH", value_parser = hash, requires = "one chain")]
    head: Option<[u8; 32]>,

    #[command(flatten)]
    pub(crate) options: Options,
}

fn organization(text: &str) -> Result<OrganizationId, &'static str> {
    OrganizationId::parse(text).ok_or("it must be an organization's id, a UUID in lower case")
}

fn hash(text: &str) -> Result<[u8; 32], &'static str> {
    const MESSAGE: &str = "it must be a hash of 64 hexadecimal digits";
    let mut hash = [0; 32];
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(MESSAGE);
    }
    for (byte, at) in hash.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| MESSAGE)?;
    }
    Ok(hash)
}

/// Checks what is asked for and prints what is whole.
pub(crate) async fn verify(config: &Config, arguments: VerifyArguments) -> anyhow::Result<()> {
    if let Some(file) = &arguments.file {
        return verify_file(file, arguments.head);
    }
    let store = open_store(config).await?;
    let mut organizations = store.organizations().await?;
    if let Some(asked) = arguments.organization {
        organizations.retain(|(id, _)| *id == asked);
        if organizations.is_empty() {
            bail!("there is no organization {asked}");
        }
    }
    let mut broken = Vec::new();
    for (id, name) in organizations {
        match verify_organization(&store, id, arguments.head).await? {
            Ok(head) => print_whole(id, &format!(" \"{name}\""), head)?,
            Err(error) => broken.push(format!("organization {id} \"{name}\": {error}")),
        }
    }
    if !broken.is_empty() {
        bail!("the audit trail is broken: {}", broken.join("; "));
    }
    Ok(())
}

/// The configured store, which must be there.
async fn open_store(config: &Config) -> anyhow::Result<Store> {
    if let Database::Sqlite(path) = &config.database
        && !path
            .try_exists()
            .with_context(|| format!("cannot look for {}", path.display()))?
    {
        bail!("there is no database at {}", path.display());
    }
    let store = authority::open_store(config, SqliteAccess::Inspection)?;
    let (found, _) = store
        .schema_version()
        .await
        .context("the database cannot be used")?;
    if found.is_none_or(|version| version == 0) {
        bail!("the database is empty");
    }
    Ok(store)
}

async fn verify_organization(
    store: &Store,
    organization: OrganizationId,
    pinned: Option<[u8; 32]>,
) -> anyhow::Result<Result<ChainHead, BrokenChain>> {
    let mut verifier = Verifier::new(organization, pinned);
    let mut after = i64::MIN;
    loop {
        let found = store.read_chain(organization, after, CHUNK).await?;
        let (head, events) =
            found.with_context(|| format!("there is no organization {organization} any more"))?;
        for event in &events {
            if let Err(broken) = verifier.take(event, None) {
                return Ok(Err(broken));
            }
        }
        match events.last() {
            Some(last) if events.len() == CHUNK => after = last.sequence,
            _ => return Ok(verifier.finish(Some(head))),
        }
    }
}

fn verify_file(path: &Path, pinned: Option<[u8; 32]>) -> anyhow::Result<()> {
    let reading = || format!("cannot read {}", path.display());
    let broken = || format!("{}: the audit trail is broken", path.display());
    let lines = BufReader::new(File::open(path).with_context(reading)?).lines();
    let mut chain = None;
    for (line, number) in lines.zip(1..) {
        let line = line.with_context(reading)?;
        let (event, claimed_hash) = audit_export::parse_line(&line).with_context(|| {
            format!(
                "line {number} of {} is not an event as the API exports it",
                path.display()
            )
        })?;
        let id = event.organization_id;
        let (_, verifier) = chain.get_or_insert_with(|| (id, Verifier::new(id, pinned)));
        verifier
            .take(&event, Some(&claimed_hash))
            .with_context(broken)?;
    }
    let Some((id, verifier)) = chain else {
        bail!("there is no event in {}", path.display());
    };
    let head = verifier.finish(None).with_context(broken)?;
    print_whole(id, "", head)
}

fn print_whole(id: OrganizationId, name: &str, head: ChainHead) -> anyhow::Result<()> {
    let events = head.sequence;
    let hash = head
        .hash
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let mut out = io::stdout().lock();
    writeln!(out, "organization {id}{name}: {events} events, head {hash}")
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}
