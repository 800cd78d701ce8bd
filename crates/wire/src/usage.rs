//! Counts of the tokens issued and refused to an account.

use serde::{Deserialize, Serialize};

/// The token requests of an account on one day of UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DailyUsage {
    /// The day.
    #[cfg_attr(feature = "openapi", schema(format = "date", example = "2026-11-23"))]
    pub date: String,
    /// The number of access tokens issued to the account.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub tokens_issued: i64,
    /// The number of refused token requests: because of a wrong secret, a disabled account, or a scope, resource or grant that
    /// the account may not have.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub tokens_refused: i64,
}

/// Consecutive days, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UsageList {
    /// The days. Today is the last.
    pub items: Vec<DailyUsage>,
}
