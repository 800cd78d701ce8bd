//! A secret that has just been made: it is shown once, here.

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
use crate::Failure;

/// The options by which a command is told where a new secret goes.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Write the secret into this new file, which only you can read, instead of printing it
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,

    #[command(flatten)]
    output: print::Options,
}

impl Options {
    /// Makes the file ready before the secret is made, so that there is no secret without a place for it.
    pub(crate) fn prepare(&self) -> Result<Place, Failure> {
        let format = self.output.format();
        let Some(path) = &self.secret_file else {
            return Ok(Place { format, file: None });
        };
        let file = SecretFile::create(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::new(format!(
                "{} is there already and is not overwritten: name another --secret-file",
                path.display()
            )),
            _ => Failure::new(format!("cannot write {}: {error}", path.display())),
        })?;
        Ok(Place {
            format,
            file: Some(file),
        })
    }
}

/// Where a new secret goes.
pub(crate) struct Place {
    format: Format,
    file: Option<SecretFile>,
}

impl Place {
    /// Shows what was answered, with the secret, or puts the secret into its file. `done` says what has been done, `id` names
    /// it, and `again` is the command that makes another secret should this one be lost.
    pub(crate) fn show(
        self,
        answer: &impl Serialize,
        credentials: &Credentials,
        done: &str,
        id: &str,
        again: &str,
    ) -> Result<(), Failure> {
        let lost = |why: &str| {
            Failure::new(format!(
                "{done}, but the secret is lost, since {why}; make another with `{again}`"
            ))
        };
        let mut lines = vec![
            ("Id", Cell::plain(id)),
            ("Client id", Cell::plain(&credentials.client_id)),
        ];
        let secret = credentials.client_secret.expose();
        let Some(file) = self.file else {
            if self.format == Format::Table {
                print::note(&format!(
                    "{done}. The secret is shown only now. Keep it in a safe place."
                ));
            }
            lines.push(("Client secret", Cell::plain(secret)));
            let shown = print::one(self.format, answer, &lines);
            return shown.map_err(|failure| match failure.message.as_str() {
                "" => lost("nobody reads standard output"),
                why => lost(why),
            });
        };
        let path = file.path.display().to_string();
        file.keep(secret)
            .map_err(|error| lost(&format!("{path} cannot be written: {error}")))?;
        if self.format == Format::Table {
            print::note(&format!("{done}. The secret is in {path}."));
        }
        print::one(self.format, &without_secret(answer)?, &lines)
    }
}

fn without_secret(answer: &impl Serialize) -> Result<Value, Failure> {
    let mut answer = serde_json::to_value(answer).map_err(Failure::json)?;
    if let Some(Value::Object(credentials)) = answer.get_mut("credentials") {
        credentials.remove("clientSecret");
    }
    Ok(answer)
}

/// A file that was made for a secret. Without one it is removed again.
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

    /// Writes the secret, durably and without a line break, which not everybody who reads it would take away.
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
            // That there was a try to make it has been told.
            let _ = fs::remove_file(&self.path);
        }
    }
}
