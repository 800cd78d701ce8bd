//! The limits of secret rotation.

/// The limits of secret rotation, from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct RotationPolicy {
    /// The longest grace period of a rotation, in seconds.
    pub max_grace_period_seconds: u32,
    /// For how long a secret must be unused, while a newer one is in use, to be shown as safe to revoke, in seconds.
    pub safe_to_revoke_after_seconds: u32,
}

impl Default for RotationPolicy {
    /// Seven days; one day.
    fn default() -> Self {
        Self {
            max_grace_period_seconds: 7 * 24 * 3600,
            safe_to_revoke_after_seconds: 24 * 3600,
        }
    }
}
