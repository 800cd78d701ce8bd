//! The argument that selects a service account.

use crate::remote::values;

/// The service account that a command acts on.
#[derive(clap::Args)]
pub(crate) struct Account {
    /// ID of the service account, a UUID; its client ID works too
    #[arg(value_name = "ID", value_parser = values::account_id)]
    pub(crate) id: String,
}
