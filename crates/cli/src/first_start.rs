//! The first start: creates an organization and its administrator account, and writes the credentials to
//! `bootstrap.json`.
//!
//! A crash must not lose the secret. So the steps are: write the credentials to a pending file, commit the account,
//! rename the file. The next start looks for a pending file, asks the store whether the account was committed, and
//! completes or discards it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use prokura_server::{
    authority::Authority,
    domain::{Name, OrganizationId, ServiceAccountId},
};
use tracing::info;

use crate::{credentials_file::Credentials, failure::Failure, private_files};

/// The name of the first organization.
pub(crate) const ORGANIZATION: &str = "Default";
/// The name of its service account.
pub(crate) const SERVICE_ACCOUNT: &str = "Administrator";

/// Performs the first start, or completes one that was interrupted. Returns the path of the credentials file written by
/// this call; `None` if the store has an organization already or another node created it.
pub(crate) async fn run(
    authority: &Authority,
    data_dir: &Path,
    url: &str,
) -> Result<Option<PathBuf>, Failure> {
    let pending = data_dir.join("bootstrap.json.pending");
    let done = data_dir.join("bootstrap.json");
    if !pending.exists() && authority.is_bootstrapped().await? {
        return Ok(None);
    }
    private_files::create_data_directory(data_dir)?;
    // Servers on PostgreSQL may share a data directory, so only one of them may use the pending file at a time.
    let _lock = private_files::lock(data_dir)?;

    if pending.exists() {
        if is_committed(authority, &pending).await? {
            private_files::rename(&pending, &done)?;
            info!(path = %done.display(), "completed an interrupted first start");
            return Ok(Some(done));
        }
        private_files::remove(&pending)?;
        info!("discarded the credentials of a first start that was not committed");
    }
    if authority.is_bootstrapped().await? {
        return Ok(None);
    }

    let plan = authority.plan_bootstrap(
        Name::parse(ORGANIZATION.to_owned())?,
        Name::parse(SERVICE_ACCOUNT.to_owned())?,
    )?;
    let credentials = Credentials::new(url.to_owned(), &plan);
    private_files::write(&pending, credentials.to_json()?.as_bytes())?;
    if !authority.bootstrap_first(&plan).await? {
        private_files::remove(&pending)?;
        info!("another node created the first organization");
        return Ok(None);
    }
    private_files::rename(&pending, &done)?;
    info!(
        organization_id = credentials.organization_id,
        service_account_id = credentials.service_account_id,
        "created the first organization and its service account"
    );
    Ok(Some(done))
}

/// Whether the account of a pending file was committed. A truncated file was not: the commit follows the complete write.
async fn is_committed(authority: &Authority, pending: &Path) -> Result<bool, Failure> {
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
