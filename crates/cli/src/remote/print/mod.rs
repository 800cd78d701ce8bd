//! What commands print: tables for people, and JSON in the format of the API for programs.

mod list;
mod options;
mod output;
mod table;

pub(crate) use list::{Listed, all, one, page, whole};
pub(crate) use options::{Format, Options, Page};
pub(crate) use output::{note, say, write};
pub(crate) use table::Cell;
