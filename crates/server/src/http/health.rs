//! Health checks for load balancers and supervisors.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::api::ApiError;
use crate::authority::Authority;

/// Check liveness.
///
/// Succeeds while the process runs. It does not use the store.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    responses((status = 200, description = "The process is alive", body = prokura_wire::Health))
)]
pub(super) async fn check_liveness() -> Response {
    answer(StatusCode::OK, r#"{"status":"alive"}"#)
}

/// Check readiness.
///
/// Succeeds if the store answers. Send no requests to a node that is not ready; it does not need a restart.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "The node is ready", body = prokura_wire::Health),
        (status = 503, description = "The store does not answer", body = prokura_wire::ApiError)
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
