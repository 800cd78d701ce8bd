//! JWT access tokens (RFC 9068): signing and verification.
//!
//! [`open`] accepts only tokens that [`sign`] made. It knows three header members and the claims that Prokura writes. It
//! refuses any other member, type or spelling (RFC 8725 §3).

use base64::Engine as _;
use serde::{Deserialize, de::DeserializeOwned};

use super::signing_key::{KeyError, SigningKey};
use crate::{
    domain::{AccessToken, ClientId, OrganizationId, ScopeSet, SigningAlgorithm, TokenId},
    encoding::{BASE64_URL, push_json_text},
};

/// The maximum length of a token. A longer text is refused without further work.
pub(super) const MAX_CHARS: usize = 8 * 1024;
/// The capacity that fits most claims, in bytes.
const CLAIMS_BYTES: usize = 512;
/// The last second of the year 9999, which is the latest date accepted.
const LATEST_DATE: f64 = 253_402_300_799.0;

/// The compact serialization (RFC 7515 §7.1) of `token`.
pub(super) fn sign(
    key: &SigningKey,
    issuer: &str,
    token: &AccessToken,
) -> Result<String, KeyError> {
    let claims = claims(issuer, token);
    let mut text = String::with_capacity(key.header.len() + claims.len() * 4 / 3 + 360);
    text.push_str(&key.header);
    BASE64_URL.encode_string(&claims, &mut text);
    let signature = key.sign(text.as_bytes())?;
    text.push('.');
    BASE64_URL.encode_string(&signature, &mut text);
    Ok(text)
}

/// The claims of RFC 9068 §2.2, and the two claims of Prokura that decide whether the token is active. The JSON is written
/// by hand: only the issuer and the audience, which come from the configuration, need escaping.
fn claims(issuer: &str, token: &AccessToken) -> String {
    let account = &mut [0; 36];
    let account = token.service_account_id.encode(account);
    let mut json = String::with_capacity(CLAIMS_BYTES);
    json.push_str(r#"{"iss":"#);
    push_json_text(&mut json, issuer);
    json.extend([r#","sub":""#, ClientId::PREFIX, account, r#"","aud":"#]);
    push_json_text(&mut json, &token.audience);
    json.extend([
        r#","client_id":""#,
        ClientId::PREFIX,
        account,
        r#"","scope":""#,
        token.scopes.as_str(),
        r#"","iat":"#,
        itoa::Buffer::new().format(token.issued_at_seconds),
        r#","exp":"#,
        itoa::Buffer::new().format(token.expires_at_seconds),
        r#","jti":""#,
        token.id.encode(&mut [0; 36]),
        r#"","organization_id":""#,
        token.organization_id.encode(&mut [0; 36]),
        r#"","token_epoch":"#,
        itoa::Buffer::new().format(token.token_epoch),
        "}",
    ]);
    json
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadHeader {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadClaims {
    iss: String,
    sub: String,
    aud: Audience,
    client_id: String,
    scope: String,
    iat: f64,
    exp: f64,
    nbf: Option<f64>,
    jti: String,
    organization_id: String,
    token_epoch: i64,
}

/// RFC 7519 §4.1.3: one string, or an array of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(Box<str>),
    Many(Vec<Box<str>>),
}

/// The token in `text`, whose key `key` finds by its `kid`. `None`: the text is not a token of `issuer` that one of its
/// keys signed.
pub(super) fn open<'k>(
    text: &str,
    issuer: &str,
    key: impl FnOnce(&str) -> Option<&'k SigningKey>,
    is_usable: impl Fn(OrganizationId, &str) -> bool,
) -> Option<AccessToken> {
    let (message, signature) = text.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let header: ReadHeader = object(header)?;
    let key = key(&header.kid)?;
    // RFC 8725 §3.1: the key determines the algorithm, and the token must state the same.
    if SigningAlgorithm::parse(&header.alg) != Some(key.jwk().algorithm)
        || !is_access_token_type(&header.typ)
    {
        return None;
    }
    let signature = BASE64_URL.decode(signature).ok()?;
    if !key.verifies(message.as_bytes(), &signature) {
        return None;
    }

    let claims: ReadClaims = object(claims)?;
    let client = ClientId::parse(&claims.client_id)?;
    let issued_at_seconds = date(claims.iat)?;
    // RFC 7519 §4.1.5. Prokura writes no `nbf`. It accepts one that is not later than `iat`.
    if claims.iss != issuer
        || claims.sub != claims.client_id
        || claims.nbf.is_some_and(|nbf| nbf > claims.iat)
    {
        return None;
    }
    let organization_id = OrganizationId::parse(&claims.organization_id)?;
    let audience = match claims.aud {
        Audience::One(audience) => audience,
        // Prokura writes one. Of several, the token is for one that the organization can use.
        Audience::Many(audiences) => {
            let mut audiences = audiences.into_iter();
            audiences.find(|name| is_usable(organization_id, name))?
        }
    };
    Some(AccessToken {
        id: TokenId::parse(&claims.jti)?,
        organization_id,
        service_account_id: client.service_account(),
        token_epoch: claims.token_epoch,
        audience,
        scopes: ScopeSet::parse(&claims.scope).ok()?,
        issued_at_seconds,
        expires_at_seconds: date(claims.exp)?,
    })
}

/// A JSON object in a base64url segment. `serde` alone would also accept an array of the members.
fn object<T: DeserializeOwned>(segment: &str) -> Option<T> {
    let json = BASE64_URL.decode(segment).ok()?;
    (json.first() == Some(&b'{'))
        .then(|| serde_json::from_slice(&json).ok())
        .flatten()
}

/// The whole seconds of a NumericDate (RFC 7519 §2), which may have a fraction.
fn date(seconds: f64) -> Option<i64> {
    (0.0..=LATEST_DATE)
        .contains(&seconds)
        .then_some(seconds as i64)
}

/// RFC 9068 §2.1, RFC 7515 §4.1.9: a media type in any case, with or without `application/`.
fn is_access_token_type(typ: &str) -> bool {
    let typ = match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    };
    typ.eq_ignore_ascii_case("at+jwt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ServiceAccountId;

    #[test]
    fn the_claims_are_one_json_object_with_any_issuer_and_audience() {
        let token = AccessToken {
            id: TokenId::from_bytes([1; 16]),
            organization_id: OrganizationId::from_bytes([2; 16]),
            service_account_id: ServiceAccountId::from_bytes([3; 16]),
            token_epoch: 4,
            audience: r#"urn:"\"#.into(),
            scopes: ScopeSet::parse("orders:read !#[]~").unwrap(),
            issued_at_seconds: 5,
            expires_at_seconds: 6,
        };
        let read: serde_json::Value =
            serde_json::from_str(&claims("https://a.example/\"", &token)).unwrap();
        let client_id = token.service_account_id.client_id().to_string();
        assert_eq!(
            read,
            serde_json::json!({
                "iss": "https://a.example/\"",
                "sub": client_id,
                "aud": r#"urn:"\"#,
                "client_id": client_id,
                "scope": "!#[]~ orders:read",
                "iat": 5,
                "exp": 6,
                "jti": token.id.to_string(),
                "organization_id": token.organization_id.to_string(),
                "token_epoch": 4,
            })
        );
    }
}
