//! The JWK set: the public keys of all signing keys that are not revoked (RFC 7517 §5).

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::{
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use prokura_wire::{JsonWebKey, JsonWebKeySet};

use super::OAuthError;
use crate::{
    authority::Authority,
    domain::{PublicJwk, PublicKeyMaterial},
    http::document::Document,
};

/// The document of the JWK set. It is written anew when the published keys have changed.
pub(in crate::http) struct KeySetDocument {
    authority: Arc<Authority>,
    written: WrittenKeys,
}

/// The document as it was last written.
struct WrittenKeys(ArcSwap<Written>);

struct Written {
    keys: Arc<[PublicJwk]>,
    document: Document,
}

impl KeySetDocument {
    /// The document of the keys that `authority` publishes.
    pub(in crate::http) fn new(authority: Arc<Authority>) -> Self {
        Self {
            authority,
            written: WrittenKeys::new(Arc::default()),
        }
    }

    /// The response to a GET with these headers.
    pub(in crate::http) async fn answer(&self, request_headers: &HeaderMap) -> Response {
        match self.authority.published_keys().await {
            Ok(keys) => self.written.answer(keys, request_headers),
            Err(error) => OAuthError::from(error).into_response(),
        }
    }
}

impl WrittenKeys {
    fn new(keys: Arc<[PublicJwk]>) -> Self {
        Self(ArcSwap::from_pointee(Written::new(keys)))
    }

    fn answer(&self, keys: Arc<[PublicJwk]>, request_headers: &HeaderMap) -> Response {
        let written = self.0.load();
        if Arc::ptr_eq(&written.keys, &keys) {
            return written.document.answer(request_headers);
        }
        let written = Arc::new(Written::new(keys));
        self.0.store(Arc::clone(&written));
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
        let first_keys = keys(&["a"]);
        let document = WrittenKeys::new(Arc::clone(&first_keys));
        let tag = |answer: Response| answer.headers()[header::ETAG].clone();

        let first = tag(document.answer(Arc::clone(&first_keys), &HeaderMap::new()));
        let mut request = HeaderMap::new();
        request.insert(header::IF_NONE_MATCH, first.clone());
        let unchanged = document.answer(first_keys, &request);
        assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);

        let changed = document.answer(keys(&["a", "b"]), &request);
        assert_eq!(changed.status(), StatusCode::OK);
        assert_ne!(tag(changed), first);

        let back = document.answer(keys(&["a"]), &request);
        assert_eq!(back.status(), StatusCode::NOT_MODIFIED);
    }
}
