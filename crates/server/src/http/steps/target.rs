//! Bounds the target of a request.

use crate::http::{exchange::Exchange, refusal::Refusal};

/// The longest path and query, in bytes.
const LIMIT_BYTES: usize = 8 * 1024;

/// Refuses a target that is too long.
pub(in crate::http) fn check(exchange: &Exchange) -> Result<(), Refusal> {
    let target = exchange.target.path_and_query();
    if target.is_some_and(|target| target.as_str().len() > LIMIT_BYTES) {
        return Err(Refusal::UriTooLong);
    }
    Ok(())
}
