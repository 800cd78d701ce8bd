//! For load balancers and supervisors.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::api::ApiError;
use crate::authority::Authority;

/// Is the process alive?
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    responses((status = 200, description = "It is", body = prokura_wire::Health))
)]
pub(super) async fn check_liveness() -> Response {
    answer(StatusCode::OK, r#"{"status":"alive"}"#)
}

/// Does the store answer?
///
/// A node that says no should get no requests until it says yes; it need not be restarted.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "It does", body = prokura_wire::Health),
        (status = 503, description = "It does not", body = prokura_wire::ApiError)
    )
)]
pub(super) async fn check_readiness(State(authority): State<Arc<Authority>>) -> Response {
    match authority.check_readiness().await {
        Ok(()) => answer(StatusCode::OK, r#"{"status":"ready"}"#),
        Err(error) => ApiError::from(error).into_response(),
    }
}

fn answer(status: StatusCode, body: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
