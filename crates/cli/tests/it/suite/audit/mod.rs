//! The audit trail.

mod events;
mod refused_logins;
mod trail;

use super::{DATABASE, start};
