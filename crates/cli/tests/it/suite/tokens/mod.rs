//! Access tokens: their contents, how they are verified, and the keys that sign them.

mod all_of_an_account;
mod bearer;
mod bearer_headers;
mod jwt;
mod jwt_verification;
mod key_rotation;
mod keys;

use super::{start, start_with, start_with_account, start_with_token};
use crate::harness::Reply;

const BARE_CHALLENGE: &str = r#"Bearer realm="prokura""#;

#[track_caller]
fn assert_no_token(reply: Reply) {
    let reply = reply.expect_api_error(401, "unauthorized");
    assert_eq!(reply.header("www-authenticate"), BARE_CHALLENGE);
}
