//! An organization as the commands print it.

use prokura_server::{domain::Name, store::ListedOrganization};
use serde::Serialize;

use crate::{
    failure::Failure,
    remote::print::{self, Cell, Format},
};

/// An organization as JSON. Instants are RFC 3339 in UTC.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) disabled: bool,
    pub(super) created_at: String,
    /// Null: the organization is enabled.
    pub(super) disabled_at: Option<String>,
    /// The number of service accounts.
    pub(super) service_accounts: i64,
    /// The number of audit events.
    pub(super) audit_events: i64,
}

/// An answer about one organization.
#[derive(Serialize)]
struct One<'a> {
    organization: &'a Organization,
}

#[derive(Serialize)]
struct List<'a> {
    items: &'a [Organization],
}

const COLUMNS: [&str; 5] = ["ID", "NAME", "STATE", "SERVICE ACCOUNTS", "CREATED"];

impl From<ListedOrganization> for Organization {
    fn from(listed: ListedOrganization) -> Self {
        Self {
            id: listed.id.to_string(),
            name: listed.name,
            disabled: listed.disabled_at.is_some(),
            created_at: listed.created_at.to_string(),
            disabled_at: listed.disabled_at.map(|at| at.to_string()),
            service_accounts: listed.service_accounts,
            audit_events: listed.audit_events,
        }
    }
}

impl Organization {
    fn state(&self) -> Cell {
        if self.disabled {
            Cell::bad("disabled")
        } else {
            Cell::good("enabled")
        }
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::plain(&self.id),
            Cell::plain(&self.name),
            self.state(),
            Cell::plain(self.service_accounts.to_string()),
            Cell::plain(&self.created_at),
        ]
    }
}

/// Prints organizations as a table, or as JSON: an object with `items`.
pub(super) fn print_all(format: Format, organizations: &[Organization]) -> Result<(), Failure> {
    let rows = organizations.iter().map(Organization::cells);
    let list = List {
        items: organizations,
    };
    print::whole(
        format,
        &COLUMNS,
        &rows.collect::<Vec<_>>(),
        organizations,
        &list,
    )
}

/// Prints what was done with an organization, or as JSON: an object with `organization`.
pub(super) fn print_done(
    format: Format,
    done: &str,
    organization: &Organization,
) -> Result<(), Failure> {
    if format == Format::Table {
        return print::say(&format!(
            "{done} {:?} ({}).",
            organization.name, organization.id
        ));
    }
    print::one(format, &One { organization }, &[])
}

/// Reads the name of an organization or an account from the command line.
pub(super) fn name(text: &str) -> Result<Name, prokura_server::domain::InvalidText> {
    Name::parse(text.to_owned())
}
