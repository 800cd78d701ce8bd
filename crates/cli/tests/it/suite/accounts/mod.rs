//! Service accounts in the management API.

mod grants;
mod list_filters;
mod lists;
mod names;
mod organizations;
mod preconditions;
mod races;
mod service_accounts;
mod updates;
mod usage;

use super::{DATABASE, call, operations, operations_on, start, start_with};
