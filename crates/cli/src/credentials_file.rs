//! `bootstrap.json`: the credentials of a new organization's first service account.

use prokura_server::authority::Bootstrap;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The contents of `bootstrap.json`. Not `Debug`: it contains a secret.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credentials {
    /// The public URL of the server.
    pub(crate) url: String,
    /// The ID of the organization.
    pub(crate) organization_id: String,
    /// The ID of the service account.
    pub(crate) service_account_id: String,
    /// The client ID of the service account.
    pub(crate) client_id: String,
    /// The client secret of the service account.
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

    /// The file's text.
    pub(crate) fn to_json(&self) -> Result<String, Failure> {
        let text = serde_json::to_string_pretty(self).map_err(Failure::json)?;
        Ok(text + "\n")
    }
}
