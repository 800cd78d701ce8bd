//! The resources that each organization can use, as this node knows them.
//!
//! Every change raises the version of the organization's resources. A look-up that reads the database returns the version with its
//! row, so that a request which follows an acknowledged change is never judged by older resources.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use crate::domain::{OrganizationId, Resources};

/// The organizations whose resources are kept. One more, and all are read again when they are needed.
const MAX_ORGANIZATIONS: usize = 10_000;

/// The resources that are known.
#[derive(Default)]
pub(super) struct OrganizationResources {
    known: ArcSwap<HashMap<OrganizationId, Known>>,
    /// Held while resources are read.
    pub(super) loading: Mutex<()>,
}

#[derive(Clone)]
pub(super) struct Known {
    pub(super) version: i64,
    pub(super) resources: Arc<Resources>,
}

impl OrganizationResources {
    /// The resources of `organization` at `version`. `None` as the version: whatever is known, since this process alone changes them.
    pub(super) fn get(
        &self,
        organization: OrganizationId,
        version: Option<i64>,
    ) -> Option<Arc<Resources>> {
        let known = self.known.load();
        let known = known.get(&organization)?;
        let is_current = version.is_none_or(|version| version == known.version);
        is_current.then(|| Arc::clone(&known.resources))
    }

    pub(super) fn insert(&self, organization: OrganizationId, known: &Known) {
        self.known.rcu(|all| {
            let mut all = HashMap::clone(all);
            if all.len() >= MAX_ORGANIZATIONS {
                all.clear();
            }
            all.insert(organization, known.clone());
            all
        });
    }

    /// Forgets everything: this process has changed the resources.
    pub(super) fn clear(&self) {
        self.known.store(Arc::default());
    }
}
