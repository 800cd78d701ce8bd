//! Opaque access tokens: `prka_` and base64url of
//!
//! ```text
//! 1 byte   format, 1
//! 16 bytes token id; its first 12 bytes are the nonce
//! sealed:  organization id (16) | account id (16) | epoch (8) | iat (8) | exp (8) | length of aud (2) | aud | scope
//! 16 bytes tag
//! ```
//!
//! Integers are big-endian. The seal covers the format, the token id and the issuer as well, so that a token of another
//! issuer is no token here.

use base64::Engine as _;

use super::{NONCE_BYTES, SealingKey};
use crate::{
    domain::{AccessToken, OrganizationId, ScopeSet, ServiceAccountId, TokenId},
    encoding::{BASE64_URL, push_base64_url},
};

pub(super) const PREFIX: &str = "prka_";
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 1 + 16;
/// What is sealed of every token, before `aud` and `scope`.
const FIXED_BYTES: usize = 16 + 16 + 8 + 8 + 8 + 2;
const TAG_BYTES: usize = 16;

/// The token as text.
pub(super) fn seal(key: &SealingKey, issuer: &str, token: &AccessToken) -> String {
    let audience = token.audience.as_bytes();
    let scopes = token.scopes.as_str().as_bytes();
    let bytes = HEAD_BYTES + FIXED_BYTES + audience.len() + scopes.len() + TAG_BYTES;
    let mut whole = Vec::with_capacity(bytes);
    whole.push(FORMAT);
    whole.extend_from_slice(token.id.as_bytes());
    whole.extend_from_slice(token.organization_id.as_bytes());
    whole.extend_from_slice(token.service_account_id.as_bytes());
    whole.extend_from_slice(&token.token_epoch.to_be_bytes());
    whole.extend_from_slice(&token.issued_at_seconds.to_be_bytes());
    whole.extend_from_slice(&token.expires_at_seconds.to_be_bytes());
    let audience_bytes = u16::try_from(audience.len()).expect("configuration bounds identifiers");
    whole.extend_from_slice(&audience_bytes.to_be_bytes());
    whole.extend_from_slice(audience);
    whole.extend_from_slice(scopes);
    let place = place(issuer, &token.id);
    let tag = key.seal_apart(nonce(&token.id), &place, &mut whole[HEAD_BYTES..]);
    whole.extend_from_slice(tag.as_ref());

    let mut text = String::with_capacity(PREFIX.len() + bytes.div_ceil(3) * 4);
    text.push_str(PREFIX);
    push_base64_url(&mut text, &whole);
    text
}

/// The token behind the text. `None`: not one of ours.
pub(super) fn open(key: &SealingKey, issuer: &str, text: &str) -> Option<AccessToken> {
    // The decoder takes exactly one spelling: no padding, no loose bits at the end.
    let mut whole = BASE64_URL.decode(text.strip_prefix(PREFIX)?).ok()?;
    let (head, sealed) = whole.split_at_mut_checked(HEAD_BYTES)?;
    let (&mut [FORMAT], id) = head.split_first_chunk_mut::<1>()? else {
        return None;
    };
    let id = TokenId::from_bytes(<[u8; 16]>::try_from(&*id).ok()?);
    let facts = key.open(nonce(&id), &place(issuer, &id), sealed)?;
    let (organization, rest) = facts.split_first_chunk()?;
    let (account, rest) = rest.split_first_chunk()?;
    let (epoch, rest) = rest.split_first_chunk()?;
    let (issued_at, rest) = rest.split_first_chunk()?;
    let (expires_at, rest) = rest.split_first_chunk()?;
    let (audience_bytes, rest) = rest.split_first_chunk()?;
    let (audience, scopes) =
        rest.split_at_checked(usize::from(u16::from_be_bytes(*audience_bytes)))?;
    Some(AccessToken {
        id,
        organization_id: OrganizationId::from_bytes(*organization),
        service_account_id: ServiceAccountId::from_bytes(*account),
        token_epoch: i64::from_be_bytes(*epoch),
        audience: std::str::from_utf8(audience).ok()?.into(),
        scopes: ScopeSet::parse(std::str::from_utf8(scopes).ok()?).ok()?,
        issued_at_seconds: i64::from_be_bytes(*issued_at),
        expires_at_seconds: i64::from_be_bytes(*expires_at),
    })
}

fn nonce(id: &TokenId) -> [u8; NONCE_BYTES] {
    *id.as_bytes()
        .first_chunk()
        .expect("a token id is longer than a nonce")
}

/// Where a seal belongs: the head, and who issued the token.
fn place(issuer: &str, id: &TokenId) -> Vec<u8> {
    [&[FORMAT], &id.as_bytes()[..], issuer.as_bytes()].concat()
}
