//! `prokura audit verify`. It changes nothing.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::ArgGroup;
use prokura_server::{
    audit_export,
    domain::{BrokenChain, ChainHead, OrganizationId, Verifier},
    store::{SqliteAccess, Store},
};

use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
};

/// The number of events read from the store at once.
const CHUNK: usize = 500;

/// The subcommands of `prokura audit` that use the database.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Verify that no audit event was altered, removed or inserted
    ///
    /// Verifies all organizations in the database, one organization, or an exported file. Prints the number of events and
    /// the hash of the last event (the head) of each. Store the head elsewhere: passed as --head later, it proves that no
    /// event up to it was changed, even if the whole chain was rewritten.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArguments),
}

const VERIFY_EXAMPLES: &str = "\
It can run while a server uses the database, and does not need the master key.

Examples:
  prokura audit verify --data-dir /var/lib/prokura
  prokura audit verify --file audit.ndjson --head 9f86d081…

Exit codes: 0 if every chain is intact, 1 if an event was altered, removed or inserted.";

/// The arguments of `prokura audit verify`.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("one chain").args(["organization", "file"])))]
pub(crate) struct VerifyArguments {
    /// Verify only this organization
    #[arg(long, value_name = "ID", value_parser = organization)]
    organization: Option<OrganizationId>,

    /// Verify a file written by `prokura audit export` instead of the database
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Require an event with this hash, a head printed earlier; needs --file or --organization
    #[arg(long, value_name = "HASH", value_parser = hash, requires = "one chain")]
    head: Option<[u8; 32]>,

    #[command(flatten)]
    pub(crate) options: Options,
}

fn organization(text: &str) -> Result<OrganizationId, &'static str> {
    OrganizationId::parse(text).ok_or("expected the ID of an organization, a lowercase UUID")
}

fn hash(text: &str) -> Result<[u8; 32], &'static str> {
    let mut hash = [0; 32];
    match base16ct::mixed::decode(text, &mut hash) {
        Ok(decoded) if decoded.len() == 32 => Ok(hash),
        _ => Err("expected 64 hexadecimal digits"),
    }
}

/// Verifies the chains and prints the head of each intact one.
pub(crate) async fn verify(config: &Config, arguments: VerifyArguments) -> Result<(), Failure> {
    if let Some(file) = &arguments.file {
        return verify_file(file, arguments.head);
    }
    let store = authority::open_existing_store(config, SqliteAccess::Inspection).await?;
    let mut organizations = store.organizations().await?;
    if let Some(asked) = arguments.organization {
        organizations.retain(|(id, _)| *id == asked);
        if organizations.is_empty() {
            return Err(Failure::new(format!("there is no organization {asked}"))
                .hint("run `prokura audit verify` without --organization to list all of them"));
        }
    }
    let mut broken = Vec::new();
    for (id, name) in organizations {
        match verify_organization(&store, id, arguments.head).await? {
            Ok(head) => print_head(id, &format!(" \"{name}\""), head)?,
            Err(error) => broken.push(format!("organization {id} \"{name}\": {error}")),
        }
    }
    let mut broken = broken.into_iter();
    match broken.next() {
        None => Ok(()),
        Some(first) => Err(Failure {
            details: broken.collect(),
            ..broken_chain(&first)
        }),
    }
}

fn broken_chain(problem: &str) -> Failure {
    Failure::new(format!("the audit trail was changed: {problem}"))
        .hint("compare it with an earlier export or a backup to find out what changed")
}

async fn verify_organization(
    store: &Store,
    organization: OrganizationId,
    pinned: Option<[u8; 32]>,
) -> Result<Result<ChainHead, BrokenChain>, Failure> {
    let mut verifier = Verifier::new(organization, pinned);
    let mut after = i64::MIN;
    loop {
        let found = store.read_chain(organization, after, CHUNK).await?;
        let (head, events) = found.with_context(|| {
            format!("the organization {organization} was removed during the verification")
        })?;
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

fn verify_file(path: &Path, pinned: Option<[u8; 32]>) -> Result<(), Failure> {
    let reading = || format!("cannot read {}", path.display());
    let broken = |error: BrokenChain| broken_chain(&format!("{}: {error}", path.display()));
    let lines = BufReader::new(File::open(path).with_context(reading)?).lines();
    let mut chain = None;
    for (line, number) in lines.zip(1..) {
        let line = line.with_context(reading)?;
        let (event, claimed_hash) = audit_export::parse_line(&line).with_context(|| {
            format!(
                "line {number} of {} is not an exported audit event",
                path.display()
            )
        })?;
        let id = event.organization_id;
        let (_, verifier) = chain.get_or_insert_with(|| (id, Verifier::new(id, pinned)));
        verifier.take(&event, Some(&claimed_hash)).map_err(broken)?;
    }
    let Some((id, verifier)) = chain else {
        return Err(Failure::new(format!(
            "{} contains no audit event",
            path.display()
        )));
    };
    let head = verifier.finish(None).map_err(broken)?;
    print_head(id, "", head)
}

fn print_head(id: OrganizationId, name: &str, head: ChainHead) -> Result<(), Failure> {
    let events = head.sequence;
    let hash = base16ct::lower::encode_string(&head.hash);
    let mut out = io::stdout().lock();
    writeln!(out, "organization {id}{name}: {events} events, head {hash}")
        .and_then(|()| out.flush())
        .map_err(Failure::output)
}
