//! `prokura audit export`.

use std::{
    fs::{self, File},
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::{
    Failure,
    remote::{Ask, Trouble, target::Target},
};

/// What `prokura audit export` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    /// Write to this new file instead of standard output
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

const EXAMPLE: &str = "\
It needs the scope management:audit:read. An export that breaks off is a failure, and leaves no file.

Examples:
  prokura audit export --file audit.ndjson
  prokura audit verify --file audit.ndjson
  prokura audit export | zstd > audit.ndjson.zst";

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
        let Some(path) = self.file else {
            let mut out = io::stdout().lock();
            let shows_progress = !out.is_terminal();
            return export(target, &mut out, Failure::output, shows_progress).await;
        };
        let cannot =
            |error: io::Error| Failure::new(format!("cannot write {}: {error}", path.display()));
        let mut file = File::create_new(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::new(format!(
                "{} is there already and is not overwritten: name another --file",
                path.display()
            )),
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
) -> Result<(), Trouble> {
    let mut export = target.client.export_audit_events().await?;
    let mut progress = Progress::new(shows_progress);
    while let Some(bytes) = export.chunk().await? {
        out.write_all(&bytes).map_err(&cannot_write)?;
        progress.add(&bytes);
    }
    out.flush().map_err(&cannot_write)?;
    Ok(())
}

/// What is not whole must not pass for it.
fn remove(path: &Path) -> Result<(), Failure> {
    let removed = fs::remove_file(path);
    removed.with_context(|| format!("cannot remove {}, which is not whole", path.display()))?;
    Ok(())
}

/// How far an export is, on a line of standard error that is written over and over. How much is to come is not known.
struct Progress {
    is_shown: bool,
    events: usize,
    bytes: usize,
    shown_at: Instant,
}

impl Progress {
    const INTERVAL: Duration = Duration::from_millis(100);

    fn new(is_wanted: bool) -> Self {
        Self {
            is_shown: is_wanted && io::stderr().is_terminal(),
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
            // Back to the beginning of the line, and clear it.
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
