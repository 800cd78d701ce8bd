//! The API document (OpenAPI 3.1), derived from the handlers.
//!
//! A handler declares what is its own. What operations have in common (refusals, headers, examples, links) is added here.

mod document;
mod examples;
mod operation;
mod shared_refusals;

pub(super) use document::complete;
