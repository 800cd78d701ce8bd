//! Completions for shells, and manual pages: made from the command line's own definition.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use clap_complete::Shell;

use crate::{Failure, command_line};

/// What can be generated.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print the completions for a shell
    #[command(after_help = COMPLETIONS_EXAMPLE)]
    Completions {
        /// The shell
        shell: Shell,
    },

    /// Write the manual pages
    #[command(after_help = MAN_EXAMPLE)]
    Man {
        /// Where to, a directory; it is made if it is not there
        directory: PathBuf,
    },
}

const COMPLETIONS_EXAMPLE: &str = "\
Examples:
  prokura completions bash > ~/.local/share/bash-completion/completions/prokura
  prokura completions zsh > \"${fpath[1]}/_prokura\"
  prokura completions fish > ~/.config/fish/completions/prokura.fish";

const MAN_EXAMPLE: &str = "\
There is one page per command.

Example: prokura man ~/.local/share/man/man1";

/// Generates what is asked for.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(
                shell,
                &mut command_line::definition(),
                "prokura",
                &mut script,
            );
            let mut out = io::stdout().lock();
            out.write_all(&script)
                .and_then(|()| out.flush())
                .map_err(Failure::output)?;
        }
        Command::Man { directory } => {
            fs::create_dir_all(&directory)
                .and_then(|()| clap_mangen::generate_to(command_line::definition(), &directory))
                .with_context(|| format!("cannot write to {}", directory.display()))?;
        }
    }
    Ok(())
}
