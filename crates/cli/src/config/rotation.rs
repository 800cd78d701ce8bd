//! `[rotation]`: limits for the rotation of client secrets.

use serde::Deserialize;

/// The section as a file has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RotationSettings {
    pub(super) max_grace_period_seconds: Option<u32>,
    pub(super) safe_to_revoke_after_seconds: Option<u32>,
}
