//! The secrets of an account.

mod idempotency;
mod rotation;

use super::start;
