//! The steps that every request passes, a file each. [`service`](super::service) shows their order.
//!
//! A step is a plain function, or a method where it keeps something between requests.
//!
//! * In front of the handler it takes the [`Exchange`](super::exchange::Exchange) and may refuse: `Result<_, Refusal>`.
//! * Behind the handler it takes the `Exchange` and the response. It runs for every response, refusals included.

mod anonymous_lines;
pub(super) mod body;
pub(super) mod error_body;
pub(super) mod head;
pub(super) mod host;
pub(super) mod log_line;
pub(super) mod response_headers;
pub(super) mod route;
pub(super) mod target;
