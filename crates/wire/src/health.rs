//! The health checks.

use serde::{Deserialize, Serialize};

/// The result of a health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// `alive` for a liveness check, `ready` for a readiness check.
    pub status: String,
}
