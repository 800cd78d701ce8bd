//! Access tokens: what is in them, who believes them, and the keys they are signed with.

mod bearer;
mod jwt;
mod jwt_verification;
mod keys;

use super::{call, operations, start, start_with};
