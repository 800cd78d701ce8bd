//! Shell completions and manual pages, generated from the definition of the command line.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use clap_complete::Shell;

use crate::failure::Failure;

/// The commands that generate files.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print a shell completion script
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Shell to complete for
        shell: Shell,
    },

    /// Write the manual pages to a directory
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Directory for the pages, one per command; created if it does not exist
        directory: PathBuf,
    },
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  prokura completions bash > ~/.local/share/bash-completion/completions/prokura
  prokura completions zsh > \"${fpath[1]}/_prokura\"
  prokura completions fish > ~/.config/fish/completions/prokura.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  prokura man ~/.local/share/man/man1";

/// Generates from the definition of the command line.
pub(crate) fn run(command: Command, mut definition: clap::Command) -> Result<(), Failure> {
    match command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut definition, "prokura", &mut script);
            let mut out = io::stdout().lock();
            out.write_all(&script)
                .and_then(|()| out.flush())
                .map_err(Failure::output)?;
        }
        Command::Man { directory } => {
            fs::create_dir_all(&directory)
                .and_then(|()| clap_mangen::generate_to(definition, &directory))
                .with_context(|| format!("cannot write to {}", directory.display()))?;
        }
    }
    Ok(())
}
