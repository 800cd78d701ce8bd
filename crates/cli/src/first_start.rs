//! The first start: an organization, a service account that may do everything, and its credentials in `bootstrap.json`.
//!
//! The secret must not be lost to a crash. So it is written to a pending file first, then the account is committed, then
//! the file gets its name; and whoever finds a pending file asks the store which of the two had happened.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use prokura_server::{
    authority::{Authority, Bootstrap},
    domain::{Name, OrganizationId, ServiceAccountId},
};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::data_dir;

/// What the first organization is called.
pub(crate) const ORGANIZATION: &str = "Default";
/// What its service account is called.
pub(crate) const SERVICE_ACCOUNT: &str = "Administrator";

/// What `bootstrap.json` holds. It does not print: it holds a secret.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credentials {
    /// The public URL of the server.
    pub(crate) url: String,
    /// The organization.
    pub(crate) organization_id: String,
    /// The service account.
    pub(crate) service_account_id: String,
    /// What it calls itself.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: String,
}

impl Credentials {
    /// The credentials of `plan`, for the server at `url`.
    pub(crate) fn new(url: String, plan: &Bootstrap) -> Self {
        let issued = plan.issued();
        Self {
            url,
            organization_id: plan.organization_id().to_string(),
            service_account_id: issued.account.id.to_string(),
            client_id: issued.account.id.client_id().to_string(),
            client_secret: issued.secret.expose().to_owned(),
        }
    }

    /// The text of `bootstrap.json`.
    pub(crate) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// Sees to the first start, if this is it or if one was interrupted. Answers the path of the credentials that were written
/// now; `None`: there was nothing to do, or another node did it.
pub(crate) async fn run(
    authority: &Authority,
    data_dir: &Path,
    url: &str,
) -> anyhow::Result<Option<PathBuf>> {
    let pending = data_dir.join("bootstrap.json.pending");
    let done = data_dir.join("bootstrap.json");
    if !pending.exists() && authority.is_bootstrapped().await? {
        return Ok(None);
    }
    data_dir::create(data_dir)?;
    // Servers on PostgreSQL may share a data directory; its pending file belongs to one at a time.
    let _lock = data_dir::lock(data_dir)?;

    if pending.exists() {
        if is_committed(authority, &pending).await? {
            data_dir::rename(&pending, &done)?;
            info!(path = %done.display(), "completed a first start that had been interrupted");
            return Ok(Some(done));
        }
        data_dir::remove(&pending)?;
        info!("discarded the credentials of a first start that had not happened");
    }
    if authority.is_bootstrapped().await? {
        return Ok(None);
    }

    let plan = authority.plan_bootstrap(
        Name::parse(ORGANIZATION.to_owned())?,
        Name::parse(SERVICE_ACCOUNT.to_owned())?,
    )?;
    let credentials = Credentials::new(url.to_owned(), &plan);
    data_dir::write(&pending, credentials.to_json()?.as_bytes())?;
    if !authority.bootstrap_first(&plan).await? {
        data_dir::remove(&pending)?;
        info!("another node made the first organization");
        return Ok(None);
    }
    data_dir::rename(&pending, &done)?;
    info!(
        organization_id = credentials.organization_id,
        service_account_id = credentials.service_account_id,
        "made the first organization and its service account"
    );
    Ok(Some(done))
}

/// Whether the account of a pending file exists. A file that is not whole was never committed: the commit comes after.
async fn is_committed(authority: &Authority, pending: &Path) -> anyhow::Result<bool> {
    let text = fs::read(pending).with_context(|| format!("cannot read {}", pending.display()))?;
    let Ok(credentials) = serde_json::from_slice::<Credentials>(&text) else {
        return Ok(false);
    };
    let organization = OrganizationId::parse(&credentials.organization_id);
    let account = ServiceAccountId::parse(&credentials.service_account_id);
    Ok(match (organization, account) {
        (Some(organization), Some(account)) => {
            authority.has_service_account(organization, account).await?
        }
        _ => false,
    })
}
