//! Finds the route of a request. A path that is not there is refused later, where the handler would be called, so that every
//! other refusal comes first.

use crate::http::{
    exchange::Exchange,
    routing::{Endpoint, Routes},
};

/// Labels the exchange with its route and returns the endpoint.
pub(in crate::http) fn find<'r>(routes: &'r Routes, exchange: &mut Exchange) -> Endpoint<'r> {
    let (label, endpoint) = routes.find(&exchange.method, exchange.target.path());
    exchange.route = label;
    endpoint
}
