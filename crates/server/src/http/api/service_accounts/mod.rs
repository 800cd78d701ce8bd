//! `/api/v1/service-accounts`: one file per operation.

mod cancel_rotation;
mod create;
mod delete;
mod get;
mod list;
mod revoke_tokens;
mod rotate_secret;
mod update;

pub(in crate::http) use cancel_rotation::*;
pub(in crate::http) use create::*;
pub(in crate::http) use delete::*;
pub(in crate::http) use get::*;
pub(in crate::http) use list::*;
pub(in crate::http) use revoke_tokens::*;
pub(in crate::http) use rotate_secret::*;
pub(in crate::http) use update::*;
