//! `prokura audit export`.

use std::{
    fs::{self, File},
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::{
    failure::Failure,
    remote::{error::CommandError, remote_command::Execute, target::Target},
};

/// The arguments of `prokura audit export`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// New file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Required scope: management:audit:read. If the export fails, the command removes the incomplete file.

Examples:
  prokura audit export --file audit.ndjson
  prokura audit verify --file audit.ndjson
  prokura audit export | zstd > audit.ndjson.zst";

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let Some(path) = self.file else {
            let mut out = io::stdout().lock();
            let shows_progress = !out.is_terminal();
            return export(target, &mut out, Failure::output, shows_progress).await;
        };
        let cannot =
            |error: io::Error| Failure::new(format!("cannot write {}: {error}", path.display()));
        let mut file = File::create_new(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::new(format!("{} already exists", path.display()))
                    .hint("name a new file with --file; existing files are not overwritten")
            }
            _ => cannot(error),
        })?;
        let mut exported = export(target, &mut file, cannot, true).await;
        if exported.is_ok() {
            exported = file.sync_all().map_err(|error| cannot(error).into());
        }
        if exported.is_err() {
            remove(&path)?;
        }
        exported
    }
}

async fn export(
    target: &Target,
    out: &mut impl Write,
    cannot_write: impl Fn(io::Error) -> Failure,
    shows_progress: bool,
) -> Result<(), CommandError> {
    let mut export = target.client.export_audit_events().await?;
    let mut progress = Progress::new(shows_progress);
    while let Some(bytes) = export.chunk().await? {
        out.write_all(&bytes).map_err(&cannot_write)?;
        progress.add(&bytes);
    }
    out.flush().map_err(&cannot_write)?;
    Ok(())
}

/// An incomplete export must not look like a complete one.
fn remove(path: &Path) -> Result<(), Failure> {
    let removed = fs::remove_file(path);
    removed.with_context(|| format!("cannot remove the incomplete file {}", path.display()))?;
    Ok(())
}

/// The progress of an export, on one line of standard error that is overwritten. The total size is unknown.
struct Progress {
    is_shown: bool,
    events: usize,
    bytes: usize,
    shown_at: Instant,
}

impl Progress {
    const INTERVAL: Duration = Duration::from_millis(100);

    fn new(is_enabled: bool) -> Self {
        Self {
            is_shown: is_enabled && io::stderr().is_terminal(),
            events: 0,
            bytes: 0,
            shown_at: Instant::now(),
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.events += bytes.iter().filter(|byte| **byte == b'\n').count();
        self.bytes += bytes.len();
        if self.is_shown && self.shown_at.elapsed() >= Self::INTERVAL {
            self.shown_at = Instant::now();
            let megabytes = self.bytes as f64 / 1e6;
            let _ = write!(io::stderr(), "\r{} events, {megabytes:.1} MB", self.events);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            // Return to the beginning of the line, and clear it.
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
