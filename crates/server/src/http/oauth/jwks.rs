//! The public keys (RFC 7517 §5).

use prokura_wire::{JsonWebKey, JsonWebKeySet};

use crate::{
    authority::Authority,
    domain::{PublicJwk, PublicKeyMaterial},
};

/// The keys of the algorithms in use.
pub(in crate::http) fn document(authority: &Authority) -> JsonWebKeySet {
    JsonWebKeySet {
        keys: authority.public_keys().map(key).collect(),
    }
}

fn key(jwk: &PublicJwk) -> JsonWebKey {
    let key = |kty: &str| JsonWebKey {
        kid: jwk.kid.clone(),
        kty: kty.to_owned(),
        alg: jwk.algorithm.as_str().to_owned(),
        usage: "sig".to_owned(),
        crv: None,
        x: None,
        y: None,
        n: None,
        e: None,
    };
    match &jwk.material {
        PublicKeyMaterial::Ec { x, y } => JsonWebKey {
            crv: Some("P-256".to_owned()),
            x: Some(x.clone()),
            y: Some(y.clone()),
            ..key("EC")
        },
        PublicKeyMaterial::Okp { x } => JsonWebKey {
            crv: Some("Ed25519".to_owned()),
            x: Some(x.clone()),
            ..key("OKP")
        },
        PublicKeyMaterial::Rsa { n, e } => JsonWebKey {
            n: Some(n.clone()),
            e: Some(e.clone()),
            ..key("RSA")
        },
    }
}
