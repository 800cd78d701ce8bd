//! What every HTTP request and response has in common.

mod conventions;
mod request_bodies;
mod requests;
mod walk;

use super::{call, operations_on, start};
