//! Takes the body off the response to a HEAD request (RFC 9110 §9.3.2).

use axum::{
    body::{Body, HttpBody as _},
    http::{HeaderValue, Method, header},
    response::Response,
};

use crate::http::exchange::Exchange;

/// Leaves the length of the body, if it is known, and no body.
pub(in crate::http) fn strip(exchange: &Exchange, response: &mut Response) {
    if exchange.method != Method::HEAD {
        return;
    }
    if let Some(length) = response.body().size_hint().exact() {
        let length = HeaderValue::from(length);
        response
            .headers_mut()
            .entry(header::CONTENT_LENGTH)
            .or_insert(length);
    }
    *response.body_mut() = Body::empty();
}
