//! Lays out tables and sheets for a terminal.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _},
};

use anstyle::{AnsiColor, Effects, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The maximum width of a cell on a terminal, in columns.
const WIDEST_CELL: usize = 48;

/// A text with its style on a terminal.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::styled(text, Style::new())
    }

    /// A good state, in green.
    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self::styled(text, AnsiColor::Green.on_default())
    }

    /// A state that needs attention, in yellow.
    pub(crate) fn warning(text: impl Into<String>) -> Self {
        Self::styled(text, AnsiColor::Yellow.on_default())
    }

    /// A bad state, in red.
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::styled(text, AnsiColor::Red.on_default())
    }

    /// An absent value, dimmed.
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

/// The widths of the columns of a table.
pub(super) struct Layout {
    widths: Vec<usize>,
    widest: usize,
}

impl Layout {
    pub(super) fn new(columns: &[&str]) -> Self {
        let on_terminal = io::stdout().is_terminal();
        Self {
            widths: columns.iter().map(|head| head.width()).collect(),
            widest: if on_terminal { WIDEST_CELL } else { usize::MAX },
        }
    }

    /// One line per row, after the heads, if any. Columns grow from call to call, and never shrink.
    pub(super) fn table(&mut self, heads: &[&str], rows: &[Vec<Cell>]) -> String {
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
        let text = without_control_characters(text);
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

/// One line per name and value.
pub(super) fn sheet(lines: &[(&str, Cell)]) -> String {
    let bold = Style::new().effects(Effects::BOLD);
    let width = lines
        .iter()
        .map(|(name, _)| name.width())
        .max()
        .unwrap_or(0);
    let mut sheet = String::new();
    for (name, Cell { text, style }) in lines {
        let padding = width - name.width();
        let text = without_control_characters(text);
        let line = format!(
            "{bold}{name}{bold:#}{:padding$}  {style}{text}{style:#}",
            ""
        );
        sheet.push_str(line.trim_end());
        sheet.push('\n');
    }
    sheet
}

/// Text from the server must not control the terminal.
fn without_control_characters(text: &str) -> Cow<'_, str> {
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
    fn a_wide_character_counts_as_two_columns() {
        let text = table(usize::MAX, &[&["\u{65e5}\u{672c}", "x"], &["ab", "y"]]);
        assert_eq!(text, "A     B\n\u{65e5}\u{672c}  x\nab    y\n");
    }

    #[test]
    fn a_cell_that_is_too_wide_for_the_terminal_is_truncated() {
        assert_eq!(table(4, &[&["abcde", "x"]]), "A     B\nabc\u{2026}  x\n");
        assert_eq!(table(4, &[&["abcd", "x"]]), "A     B\nabcd  x\n");
        assert_eq!(
            table(4, &[&["a\u{65e5}\u{672c}b", "x"]]),
            "A     B\na\u{65e5}\u{2026}  x\n"
        );
    }

    #[test]
    fn control_characters_in_a_value_do_not_reach_the_terminal() {
        let cell = Cell::plain("\u{1b}[31mred\u{9b}0m\nnext");
        let text = sheet(&[("Name", cell)]);
        let text = text.trim_start_matches("\u{1b}[1mName\u{1b}[0m");
        assert_eq!(text.trim(), "\u{fffd}[31mred\u{fffd}0m next");
    }

    #[test]
    fn a_sheet_has_colours() {
        let text = sheet(&[("State", Cell::bad("disabled"))]);
        assert_eq!(
            text,
            "\u{1b}[1mState\u{1b}[0m  \u{1b}[31mdisabled\u{1b}[0m\n"
        );
    }
}
