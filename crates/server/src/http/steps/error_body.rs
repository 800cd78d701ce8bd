//! Writes the body of a management API error. It contains the request id, which the handler that refuses does not know.

use axum::response::Response;

use crate::http::{api::ApiError, exchange::Exchange};

/// Writes the body if the response is such an error.
pub(in crate::http) fn write(exchange: &Exchange, response: &mut Response) {
    let extensions = response.extensions_mut();
    if !extensions.is_empty()
        && let Some(error) = extensions.remove::<ApiError>()
    {
        error.write_body(exchange.request_id.as_str(), response);
    }
}
