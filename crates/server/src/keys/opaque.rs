//! Opaque access tokens: `prka_` and base64url of
//!
//! ```text
//! 1 byte   format, 1
//! 16 bytes token id; its first 12 bytes are the nonce
//! sealed:  the content of the token, see [`facts`]
//! 16 bytes tag
//! ```
//!
//! The tag also covers the format, the token id and the issuer, so a token of another issuer does not open.

use base64::Engine as _;

use super::{
    facts,
    sealing::{NONCE_BYTES, SealingKey},
};
use crate::{
    domain::{AccessToken, TokenId},
    encoding::BASE64_URL,
};

pub(super) const PREFIX: &str = "prka_";
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 1 + 16;
const TAG_BYTES: usize = 16;

/// The text of `token`.
pub(super) fn seal(key: &SealingKey, issuer: &str, token: &AccessToken) -> String {
    let bytes = HEAD_BYTES + facts::length(token) + TAG_BYTES;
    let mut whole = Vec::with_capacity(bytes);
    whole.push(FORMAT);
    whole.extend_from_slice(token.id.as_bytes());
    facts::push(&mut whole, token);
    let place = place(issuer, &token.id);
    let tag = key.seal_apart(nonce(&token.id), &place, &mut whole[HEAD_BYTES..]);
    whole.extend_from_slice(tag.as_ref());

    let mut text = String::with_capacity(PREFIX.len() + bytes.div_ceil(3) * 4);
    text.push_str(PREFIX);
    BASE64_URL.encode_string(&whole, &mut text);
    text
}

/// The token in `text`. `None`: it was not sealed with `key` for `issuer`.
pub(super) fn open(key: &SealingKey, issuer: &str, text: &str) -> Option<AccessToken> {
    // The decoder accepts exactly one spelling: no padding, no excess bits at the end.
    let mut whole = BASE64_URL.decode(text.strip_prefix(PREFIX)?).ok()?;
    let (head, sealed) = whole.split_at_mut_checked(HEAD_BYTES)?;
    let (&mut [FORMAT], id) = head.split_first_chunk_mut::<1>()? else {
        return None;
    };
    let id = TokenId::from_bytes(<[u8; 16]>::try_from(&*id).ok()?);
    let facts = key.open(nonce(&id), &place(issuer, &id), sealed)?;
    facts::read(id, facts)
}

fn nonce(id: &TokenId) -> [u8; NONCE_BYTES] {
    *id.as_bytes()
        .first_chunk()
        .expect("a token id is longer than a nonce")
}

/// The place that the seal is bound to: the head and the issuer.
fn place(issuer: &str, id: &TokenId) -> Vec<u8> {
    [&[FORMAT], &id.as_bytes()[..], issuer.as_bytes()].concat()
}
