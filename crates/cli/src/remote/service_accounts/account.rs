//! The argument that selects a service account.

use crate::remote::values;

/// The service account that a command acts on.
#[derive(clap::Args)]
pub(crate) struct Account {
    /// Its id, a UUID; its client id will do
    #[arg(value_name = "ID", value_parser = values::account_id)]
    pub(crate) id: String,
}
