//! What commands print on standard output: tables for people, JSON as the API has it for programs.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write as _},
};

use anstyle::{AnsiColor, Effects, Style};
use prokura_client::Items;
use serde::Serialize;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Trouble;
use crate::Failure;

/// How many rows are laid out together: a list that is longer is printed in parts.
const ROWS_AT_ONCE: usize = 200;
/// What is told of a list without items.
const NONE: &str = "There are none.";
/// How wide a cell of a table may be on a terminal, in columns.
const WIDEST_CELL: usize = 48;

/// The option by which a command is told how to print.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// How to print
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    output: Format,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table, for people
    Table,
    /// JSON, as the API answers
    Json,
    /// JSON, an object per line: for long lists
    Ndjson,
}

impl Options {
    pub(crate) fn format(&self) -> Format {
        self.output
    }
}

/// The options of a command that can show a page of a list.
#[derive(clap::Args)]
pub(crate) struct Page {
    /// So many at most, 1 to 200 [default: all of them]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) limit: Option<u32>,

    /// Those after an earlier page, whose end named this
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
}

impl Page {
    /// Whether it is asked for one, and not for all.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.limit.is_some() || self.cursor.is_some()
    }
}

/// What is a row of a table.
pub(crate) trait Listed: Serialize {
    /// The heads of the columns.
    const COLUMNS: &'static [&'static str];

    /// A cell for each column.
    fn cells(&self) -> Vec<Cell>;
}

/// A piece of text, and how it looks on a terminal.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::styled(text, Style::new())
    }

    /// All is well.
    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self::styled(text, AnsiColor::Green.on_default())
    }

    /// Soon it will not be.
    pub(crate) fn warning(text: impl Into<String>) -> Self {
        Self::styled(text, AnsiColor::Yellow.on_default())
    }

    /// It is not.
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::styled(text, AnsiColor::Red.on_default())
    }

    /// There is nothing to say.
    pub(crate) fn faint(text: impl Into<String>) -> Self {
        Self::styled(text, Style::new().effects(Effects::DIMMED))
    }

    fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }
}

/// Prints one thing: as lines of names and values, or as JSON.
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

/// Prints the items of a list as they come, in constant memory.
pub(crate) async fn all<T: Listed + Send + 'static>(
    format: Format,
    mut items: Items<T>,
) -> Result<(), Trouble> {
    let mut list = List::begin(format, T::COLUMNS)?;
    while let Some(item) = items.try_next().await? {
        list.add(&item, item.cells())?;
    }
    list.end()?;
    Ok(())
}

/// Prints a page of a list; `answer` is what the API said.
pub(crate) fn page<T: Listed>(
    format: Format,
    items: &[T],
    next_cursor: Option<&str>,
    answer: &impl Serialize,
) -> Result<(), Failure> {
    let rows = items.iter().map(Listed::cells).collect::<Vec<_>>();
    whole(format, T::COLUMNS, &rows, items, answer)?;
    if let Some(cursor) = next_cursor.filter(|_| format != Format::Json) {
        note(&format!("There are more: --cursor {cursor}"));
    }
    Ok(())
}

/// Prints a list that is known whole.
pub(crate) fn whole(
    format: Format,
    columns: &[&str],
    rows: &[Vec<Cell>],
    items: &[impl Serialize],
    answer: &impl Serialize,
) -> Result<(), Failure> {
    match format {
        Format::Table if rows.is_empty() => {
            note(NONE);
            Ok(())
        }
        Format::Table => write_styled(&Layout::new(columns).table(columns, rows)),
        Format::Json => write(&pretty(answer)?),
        Format::Ndjson => {
            let lines = items.iter().map(line).collect::<Result<String, _>>()?;
            write(&lines)
        }
    }
}

/// Prints a sentence for people.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    write(&format!("{text}\n"))
}

/// Tells people something that is not the result: on standard error.
pub(crate) fn note(text: &str) {
    // Nobody has to read it.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes to standard output.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::output)
}

/// The same for styled text, which becomes plain text where there is no terminal, or `NO_COLOR` is set.
fn write_styled(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::output)
}

/// A list that is being printed.
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
            note(NONE);
        }
        self.flush()
    }
}

/// How wide the columns of a table are.
struct Layout {
    widths: Vec<usize>,
    widest: usize,
}

impl Layout {
    fn new(columns: &[&str]) -> Self {
        let on_terminal = io::stdout().is_terminal();
        Self {
            widths: columns.iter().map(|head| head.width()).collect(),
            widest: if on_terminal { WIDEST_CELL } else { usize::MAX },
        }
    }

    /// A line for each row, below the heads if there are any. Columns grow as they have to, and never shrink.
    fn table(&mut self, heads: &[&str], rows: &[Vec<Cell>]) -> String {
        let heads = heads
            .iter()
            .map(|head| Cell::styled(*head, Style::new().effects(Effects::BOLD)));
        let heads = heads.collect::<Vec<_>>();
        let rows = std::iter::once(&heads)
            .chain(rows)
            .filter(|row| !row.is_empty());
        let rows = rows
            .map(|row| {
                let fitted = row.iter().map(|cell| (self.fit(&cell.text), cell.style));
                fitted.collect::<Vec<_>>()
            })
            .collect::<Vec<_>>();
        for row in &rows {
            for (width, (text, _)) in self.widths.iter_mut().zip(row) {
                *width = text.width().max(*width);
            }
        }
        let mut table = String::new();
        for row in rows {
            let mut line = String::new();
            for ((text, style), width) in row.iter().zip(&self.widths) {
                let padding = width - text.width();
                line.push_str(&format!("{style}{text}{style:#}{:padding$}  ", ""));
            }
            table.push_str(line.trim_end());
            table.push('\n');
        }
        table
    }

    fn fit(&self, text: &str) -> String {
        let text = harmless(text);
        if text.width() <= self.widest {
            return text.into_owned();
        }
        let mut fitted = String::new();
        let mut width = 1;
        for character in text.chars() {
            width += character.width().unwrap_or(0);
            if width > self.widest {
                break;
            }
            fitted.push(character);
        }
        fitted.push('\u{2026}');
        fitted
    }
}

/// Names and values, one below the other.
fn sheet(lines: &[(&str, Cell)]) -> String {
    let bold = Style::new().effects(Effects::BOLD);
    let width = lines
        .iter()
        .map(|(name, _)| name.width())
        .max()
        .unwrap_or(0);
    let mut sheet = String::new();
    for (name, Cell { text, style }) in lines {
        let padding = width - name.width();
        let text = harmless(text);
        let line = format!(
            "{bold}{name}{bold:#}{:padding$}  {style}{text}{style:#}",
            ""
        );
        sheet.push_str(line.trim_end());
        sheet.push('\n');
    }
    sheet
}

/// What somebody else wrote must not command the terminal.
fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return text.into();
    }
    let replaced = text.chars().map(|character| match character {
        '\n' | '\t' => ' ',
        character if character.is_control() => char::REPLACEMENT_CHARACTER,
        character => character,
    });
    replaced.collect::<String>().into()
}

fn pretty(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n").map_err(Failure::json)
}

fn line(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value);
    text.map(|text| text + "\n").map_err(Failure::json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(widest: usize, rows: &[&[&str]]) -> String {
        let columns = ["A", "B"];
        let mut layout = Layout {
            widest,
            ..Layout::new(&columns)
        };
        let rows = rows
            .iter()
            .map(|row| row.iter().map(|text| Cell::plain(*text)).collect())
            .collect::<Vec<_>>();
        anstream::adapter::strip_str(&layout.table(&columns, &rows)).to_string()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = table(usize::MAX, &[&["1", "one"], &["333", "three"]]);
        assert_eq!(text, "A    B\n1    one\n333  three\n");
    }

    #[test]
    fn what_takes_two_columns_on_a_terminal_counts_two() {
        let text = table(usize::MAX, &[&["\u{65e5}\u{672c}", "x"], &["ab", "y"]]);
        assert_eq!(text, "A     B\n\u{65e5}\u{672c}  x\nab    y\n");
    }

    #[test]
    fn a_cell_that_is_too_wide_for_a_terminal_is_cut() {
        assert_eq!(table(4, &[&["abcde", "x"]]), "A     B\nabc\u{2026}  x\n");
        assert_eq!(table(4, &[&["abcd", "x"]]), "A     B\nabcd  x\n");
        assert_eq!(
            table(4, &[&["a\u{65e5}\u{672c}b", "x"]]),
            "A     B\na\u{65e5}\u{2026}  x\n"
        );
    }

    #[test]
    fn what_somebody_wrote_does_not_command_the_terminal() {
        let cell = Cell::plain("\u{1b}[31mred\u{9b}0m\nnext");
        let text = sheet(&[("Name", cell)]);
        let text = text.trim_start_matches("\u{1b}[1mName\u{1b}[0m");
        assert_eq!(text.trim(), "\u{fffd}[31mred\u{fffd}0m next");
    }

    #[test]
    fn colours_are_there_for_who_wants_them() {
        let text = sheet(&[("State", Cell::bad("disabled"))]);
        assert_eq!(
            text,
            "\u{1b}[1mState\u{1b}[0m  \u{1b}[31mdisabled\u{1b}[0m\n"
        );
    }
}
