//! The secrets of service accounts.

mod cancelled_rotations;
mod format;
mod idempotency;
mod rotation;
mod several_secrets;

use super::{start_with_account, start_with_token};
