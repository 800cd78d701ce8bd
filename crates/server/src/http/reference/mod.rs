//! `/docs`: the API document as a page.

mod page;

pub(super) use page::page;
