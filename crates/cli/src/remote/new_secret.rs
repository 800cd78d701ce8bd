//! Prints a new client secret once, or writes it to a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use prokura_client::wire::Credentials;
use serde::Serialize;
use serde_json::Value;

use super::print::{self, Cell, Format};
use crate::failure::Failure;

/// The options for the output of a new secret.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Write the secret to this new file, which only you can read, instead of printing it
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,

    #[command(flatten)]
    output: print::Options,
}

impl Options {
    /// Creates the file before the secret is created, so that no secret is lost because the file cannot be written.
    pub(crate) fn prepare(&self) -> Result<Place, Failure> {
        let format = self.output.format();
        let Some(path) = &self.secret_file else {
            return Ok(Place { format, file: None });
        };
        let file = SecretFile::create(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::new(format!("{} already exists", path.display()))
                    .hint("name a new file with --secret-file; existing files are not overwritten")
            }
            _ => Failure::new(format!("cannot write {}: {error}", path.display())),
        })?;
        Ok(Place {
            format,
            file: Some(file),
        })
    }
}

/// The destination of a new secret.
pub(crate) struct Place {
    format: Format,
    file: Option<SecretFile>,
}

impl Place {
    /// Prints the response with the secret, or writes the secret to the file and prints the rest. `done` says what was done,
    /// `id` is the ID of the created object, and `again` is the command that creates another secret if this one is lost.
    pub(crate) fn show(
        self,
        response: &impl Serialize,
        credentials: &Credentials,
        done: &str,
        id: &str,
        again: &str,
    ) -> Result<(), Failure> {
        let lost = |why: &str| {
            Failure::new(format!("{done}, but the secret is lost: {why}"))
                .hint(format!("create another one with `{again}`"))
        };
        let mut lines = vec![
            ("ID", Cell::plain(id)),
            ("Client ID", Cell::plain(&credentials.client_id)),
        ];
        let secret = credentials.client_secret.expose();
        let Some(file) = self.file else {
            if self.format == Format::Table {
                print::note(&format!(
                    "{done}. Store the secret in a safe place. It is not shown again."
                ));
            }
            lines.push(("Client secret", Cell::plain(secret)));
            let shown = print::one(self.format, response, &lines);
            return shown.map_err(|failure| match failure.error.as_str() {
                "" => lost("standard output is closed"),
                why => lost(why),
            });
        };
        let path = file.path.display().to_string();
        file.keep(secret)
            .map_err(|error| lost(&format!("cannot write {path}: {error}")))?;
        if self.format == Format::Table {
            print::note(&format!("{done}. The secret is in {path}."));
        }
        print::one(self.format, &without_secret(response)?, &lines)
    }
}

fn without_secret(response: &impl Serialize) -> Result<Value, Failure> {
    let mut response = serde_json::to_value(response).map_err(Failure::json)?;
    if let Some(Value::Object(credentials)) = response.get_mut("credentials") {
        credentials.remove("clientSecret");
    }
    Ok(response)
}

/// The file for a new secret. It is removed on drop unless a secret was written.
struct SecretFile {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl SecretFile {
    fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            is_kept: false,
        })
    }

    /// Writes the secret durably, and without a line break: not every reader trims it.
    fn keep(mut self, secret: &str) -> io::Result<()> {
        self.file.write_all(secret.as_bytes())?;
        self.file.sync_all()?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // The failure that led here is reported already.
            let _ = fs::remove_file(&self.path);
        }
    }
}
