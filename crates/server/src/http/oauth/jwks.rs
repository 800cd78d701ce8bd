//! The JWK set: the public keys of the algorithms in use (RFC 7517 §5).

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::{http::HeaderMap, response::Response};
use prokura_wire::{JsonWebKey, JsonWebKeySet};

use crate::{
    domain::{PublicJwk, PublicKeyMaterial},
    http::document::Document,
};

/// The document of the JWK set. It is written anew when the published keys have changed.
pub(in crate::http) struct KeySetDocument {
    published: Box<dyn Fn() -> Arc<[PublicJwk]> + Send + Sync>,
    written: ArcSwap<Written>,
}

struct Written {
    keys: Arc<[PublicJwk]>,
    document: Document,
}

impl KeySetDocument {
    /// The document of the keys that `published` returns: the same `Arc` until they change.
    pub(in crate::http) fn new(
        published: impl Fn() -> Arc<[PublicJwk]> + Send + Sync + 'static,
    ) -> Self {
        let written = Written::new(published());
        Self {
            published: Box::new(published),
            written: ArcSwap::from_pointee(written),
        }
    }

    /// The response to a GET with these headers.
    pub(in crate::http) fn answer(&self, request_headers: &HeaderMap) -> Response {
        let keys = (self.published)();
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

#[cfg(test)]
mod tests {
    use axum::http::{StatusCode, header};

    use super::*;
    use crate::domain::SigningAlgorithm;

    fn keys(names: &[&str]) -> Arc<[PublicJwk]> {
        let key = |name: &&str| PublicJwk {
            kid: (*name).to_owned(),
            algorithm: SigningAlgorithm::EdDsa,
            material: PublicKeyMaterial::Okp { x: String::new() },
        };
        names.iter().map(key).collect()
    }

    #[test]
    fn the_document_and_its_entity_tag_change_with_the_keys() {
        let published = Arc::new(ArcSwap::from(Arc::new(keys(&["a"]))));
        let source = Arc::clone(&published);
        let document = KeySetDocument::new(move || Arc::clone(&source.load()));
        let tag = |answer: Response| answer.headers()[header::ETAG].clone();

        let first = tag(document.answer(&HeaderMap::new()));
        let mut request = HeaderMap::new();
        request.insert(header::IF_NONE_MATCH, first.clone());
        let unchanged = document.answer(&request);
        assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);

        published.store(Arc::new(keys(&["a", "b"])));
        let changed = document.answer(&request);
        assert_eq!(changed.status(), StatusCode::OK);
        assert_ne!(tag(changed), first);

        published.store(Arc::new(keys(&["a"])));
        let back = document.answer(&request);
        assert_eq!(back.status(), StatusCode::NOT_MODIFIED);
    }
}
