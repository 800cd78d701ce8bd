//! Errors of the management API.

use serde::{Deserialize, Serialize};

/// Why a request to the management API failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    /// What went wrong and how to fix it, for people.
    pub message: String,
    /// The HTTP status.
    pub status_code: u16,
    /// What went wrong, for programs. The codes are stable.
    #[cfg_attr(feature = "openapi", schema(example = "service_account_not_found"))]
    pub code: String,
    /// The id of the request. `X-Request-Id` and the server's log contain it, too.
    pub request_id: String,
    /// With status 400: every member or parameter that is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// With status 403: the scopes that the caller lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_scopes: Vec<String>,
}

/// An error in one member or parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The name of the member or parameter.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}
