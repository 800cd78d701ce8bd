//! The content of an access token as bytes.
//!
//! ```text
//! organization id (16) | account id (16) | epoch (8) | iat (8) | exp (8) | length of aud (2) | aud | scope
//! ```
//!
//! Integers are big-endian. The token id is not included.

use crate::domain::{AccessToken, OrganizationId, ScopeSet, ServiceAccountId, TokenId};

/// The length of the part before `aud` and `scope`.
const FIXED_BYTES: usize = 16 + 16 + 8 + 8 + 8 + 2;

/// The length of the content of `token`, in bytes.
pub(super) fn length(token: &AccessToken) -> usize {
    FIXED_BYTES + token.audience.len() + token.scopes.as_str().len()
}

/// Appends the content of `token` to `bytes`.
pub(super) fn push(bytes: &mut Vec<u8>, token: &AccessToken) {
    let audience = token.audience.as_bytes();
    bytes.extend_from_slice(token.organization_id.as_bytes());
    bytes.extend_from_slice(token.service_account_id.as_bytes());
    bytes.extend_from_slice(&token.token_epoch.to_be_bytes());
    bytes.extend_from_slice(&token.issued_at_seconds.to_be_bytes());
    bytes.extend_from_slice(&token.expires_at_seconds.to_be_bytes());
    let audience_bytes =
        u16::try_from(audience.len()).expect("the configuration limits the length of identifiers");
    bytes.extend_from_slice(&audience_bytes.to_be_bytes());
    bytes.extend_from_slice(audience);
    bytes.extend_from_slice(token.scopes.as_str().as_bytes());
}

/// Reads the content of the token `id`. `None`: the bytes are not the content of a token.
pub(super) fn read(id: TokenId, bytes: &[u8]) -> Option<AccessToken> {
    let (organization, rest) = bytes.split_first_chunk()?;
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
