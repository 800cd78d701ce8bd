//! The JWK set: the public keys of the algorithms in use (RFC 7517 §5).

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use arc_swap::ArcSwap;
use axum::{extract::Request, handler::Handler, http::HeaderMap, response::Response};
use prokura_wire::{JsonWebKey, JsonWebKeySet};

use crate::{
    authority::Authority,
    domain::{PublicJwk, PublicKeyMaterial},
    http::document::Document,
};

/// The JWK set of a server. The document is written anew when the signing keys have changed.
#[derive(Clone)]
pub(in crate::http) struct KeySetDocument {
    authority: Arc<Authority>,
    written: Arc<ArcSwap<Written>>,
}

struct Written {
    keys: Arc<[PublicJwk]>,
    document: Document,
}

impl KeySetDocument {
    /// The JWK set of `authority`.
    pub(in crate::http) fn new(authority: Arc<Authority>) -> Self {
        let written = Written::new(authority.published_keys());
        Self {
            authority,
            written: Arc::new(ArcSwap::from_pointee(written)),
        }
    }

    fn answer(&self, request_headers: &HeaderMap) -> Response {
        let keys = self.authority.published_keys();
        let written = self.written.load();
        if Arc::ptr_eq(&written.keys, &keys) {
            return written.document.answer(request_headers);
        }
        let written = Arc::new(Written::new(keys));
        self.written.store(Arc::clone(&written));
        written.document.answer(request_headers)
    }
}

impl Written {
    fn new(keys: Arc<[PublicJwk]>) -> Self {
        let set = JsonWebKeySet {
            keys: keys.iter().map(key).collect(),
        };
        Self {
            document: Document::json(&set),
            keys,
        }
    }
}

impl<S> Handler<(), S> for KeySetDocument {
    type Future = Ready<Response>;

    fn call(self, request: Request, _: S) -> Self::Future {
        ready(self.answer(request.headers()))
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
