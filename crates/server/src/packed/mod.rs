//! How very many small things are kept in memory: written down as bytes, one behind the other.
//!
//! A structure of texts and pointers takes several times the room of what it says, and a cache miss for each of its parts.

mod cache;
mod coding;
mod dictionary;

pub(crate) use cache::Cache;
pub(crate) use coding::{Reader, Writer};
pub(crate) use dictionary::Dictionary;
