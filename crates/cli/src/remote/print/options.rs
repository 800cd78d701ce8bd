//! The options for output and pages.

/// The output option.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Output format
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    output: Format,
}

/// The output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table
    Table,
    /// JSON, as the API responds
    Json,
    /// JSON, one object per line; for long lists
    Ndjson,
}

impl Options {
    pub(crate) fn format(&self) -> Format {
        self.output
    }
}

/// The options of a command that can print one page of a list.
#[derive(clap::Args)]
pub(crate) struct Page {
    /// Print one page of at most this many items, 1 to 200 [default: print all items]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) limit: Option<u32>,

    /// Print the page after the one that printed this cursor
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
}

impl Page {
    /// Whether to print one page instead of all items.
    pub(crate) fn is_requested(&self) -> bool {
        self.limit.is_some() || self.cursor.is_some()
    }
}
