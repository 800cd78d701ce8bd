//! Prints single objects and lists.

use prokura_client::Items;
use serde::Serialize;

use super::{
    options::Format,
    output::{note, write, write_styled},
    table::{Cell, Layout, sheet},
};
use crate::{failure::Failure, remote::error::CommandError};

/// The number of rows of a table that are laid out together. A longer list is printed in parts.
const ROWS_AT_ONCE: usize = 200;
/// The message for an empty list.
const EMPTY: &str = "No results.";

/// An object that is a row of a table.
pub(crate) trait Listed: Serialize {
    /// The column heads.
    const COLUMNS: &'static [&'static str];

    /// One cell per column.
    fn cells(&self) -> Vec<Cell>;
}

/// Prints one object: as lines of names and values, or as JSON.
pub(crate) fn one(
    format: Format,
    value: &impl Serialize,
    lines: &[(&str, Cell)],
) -> Result<(), Failure> {
    match format {
        Format::Table => write_styled(&sheet(lines)),
        Format::Json => write(&pretty(value)?),
        Format::Ndjson => write(&line(value)?),
    }
}

/// Prints all items of a list as they arrive, in constant memory.
pub(crate) async fn all<T: Listed + Send + 'static>(
    format: Format,
    mut items: Items<T>,
) -> Result<(), CommandError> {
    let mut list = List::begin(format, T::COLUMNS)?;
    while let Some(item) = items.try_next().await? {
        list.add(&item, item.cells())?;
    }
    list.end()?;
    Ok(())
}

/// Prints one page of a list. `response` is the response of the API.
pub(crate) fn page<T: Listed>(
    format: Format,
    items: &[T],
    next_cursor: Option<&str>,
    response: &impl Serialize,
) -> Result<(), Failure> {
    let rows = items.iter().map(Listed::cells).collect::<Vec<_>>();
    whole(format, T::COLUMNS, &rows, items, response)?;
    if let Some(cursor) = next_cursor.filter(|_| format != Format::Json) {
        note(&format!(
            "More results: repeat the command with --cursor {cursor}"
        ));
    }
    Ok(())
}

/// Prints a complete list.
pub(crate) fn whole(
    format: Format,
    columns: &[&str],
    rows: &[Vec<Cell>],
    items: &[impl Serialize],
    response: &impl Serialize,
) -> Result<(), Failure> {
    match format {
        Format::Table if rows.is_empty() => {
            note(EMPTY);
            Ok(())
        }
        Format::Table => write_styled(&Layout::new(columns).table(columns, rows)),
        Format::Json => write(&pretty(response)?),
        Format::Ndjson => {
            let lines = items.iter().map(line).collect::<Result<String, _>>()?;
            write(&lines)
        }
    }
}

/// A list while it is being printed.
struct List {
    format: Format,
    columns: &'static [&'static str],
    layout: Layout,
    rows: Vec<Vec<Cell>>,
    text: String,
    count: usize,
}

impl List {
    fn begin(format: Format, columns: &'static [&'static str]) -> Result<Self, Failure> {
        if format == Format::Json {
            write("{\"items\":[")?;
        }
        Ok(Self {
            format,
            columns,
            layout: Layout::new(columns),
            rows: Vec::new(),
            text: String::new(),
            count: 0,
        })
    }

    fn add(&mut self, item: &impl Serialize, cells: Vec<Cell>) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.rows.push(cells),
            Format::Ndjson => self.text.push_str(&line(item)?),
            Format::Json => {
                self.text
                    .push_str(if self.count == 0 { "\n" } else { ",\n" });
                self.text.push_str(line(item)?.trim_end());
            }
        }
        self.count += 1;
        if self.count.is_multiple_of(ROWS_AT_ONCE) {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if !self.rows.is_empty() {
            let heads = if self.count <= ROWS_AT_ONCE {
                self.columns
            } else {
                &[]
            };
            let table = self.layout.table(heads, &std::mem::take(&mut self.rows));
            write_styled(&table)?;
        }
        write(&std::mem::take(&mut self.text))
    }

    fn end(mut self) -> Result<(), Failure> {
        if self.format == Format::Json {
            self.text
                .push_str(if self.count == 0 { "]}\n" } else { "\n]}\n" });
        }
        if self.format == Format::Table && self.count == 0 {
            note(EMPTY);
        }
        self.flush()
    }
}

fn pretty(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n").map_err(Failure::json)
}

fn line(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value);
    text.map(|text| text + "\n").map_err(Failure::json)
}
