//! Logs how the resources in the database differ from the configuration of this node.

use prokura_server::authority::ResourceDifference;
use tracing::{info, warn};

/// Logs what a node has changed in the database at its start.
pub(crate) fn log_published(difference: &ResourceDifference) {
    if difference.is_empty() {
        return;
    }
    let ResourceDifference {
        added,
        changed,
        removed,
    } = difference;
    info!(
        added = added.join(" "),
        changed = changed.join(" "),
        removed = removed.join(" "),
        "wrote the resources of the configuration to the database; all nodes use them"
    );
}

/// Logs that another node has other resources in its configuration, and has written them later.
pub(crate) fn log_foreign(difference: &ResourceDifference) {
    let ResourceDifference {
        added,
        changed,
        removed,
    } = difference;
    warn!(
        missing = added.join(" "),
        different = changed.join(" "),
        unknown = removed.join(" "),
        "another node has written other resources than this node's configuration has; all nodes use those in the database"
    );
}
