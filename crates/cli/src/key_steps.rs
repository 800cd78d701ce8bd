//! Logs changes of the signing keys. They belong to the installation, not to an organization, so no audit trail has them.

use prokura_server::domain::KeyStep;
use tracing::info;

/// Logs what was done.
pub(crate) fn log(done: &[KeyStep]) {
    for step in done {
        match step {
            KeyStep::Create {
                algorithm,
                generation,
                signs_from,
            } => info!(
                algorithm = algorithm.as_str(),
                generation,
                signs_from = %signs_from,
                "created a signing key"
            ),
            KeyStep::Reschedule { id, signs_from } => {
                info!(kid = id, signs_from = %signs_from, "changed when a signing key begins to sign");
            }
            KeyStep::Revoke { id, .. } => info!(kid = id, "revoked a signing key"),
            KeyStep::Delete { id } => info!(
                kid = id,
                "deleted a signing key, whose tokens have all expired"
            ),
        }
    }
}
