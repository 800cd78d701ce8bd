//! The published signing keys (section K; RFC 7517).
//!
//! K3 also has unit tests: the examples of the three standards are in `crates/server/src/domain/signing_key.rs`. So has
//! K2: the leading zeros of 600 keys are in `crates/server/src/keys/signing_key.rs`.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{JwkSet, ThumbprintHash};
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::{Value, json};

use super::{start, start_with};
use crate::harness::{Options, claims_of, header_of, jwt_resource, verify};

const JWKS: &str = "/.well-known/jwks.json";

fn every_algorithm() -> Options {
    Options {
        resources: vec![
            jwt_resource("https://es.example", "es:read", SigningAlgorithm::Es256),
            jwt_resource("https://ed.example", "ed:read", SigningAlgorithm::EdDsa),
            jwt_resource("https://rs.example", "rs:read", SigningAlgorithm::Rs256),
        ],
        ..Options::default()
    }
}

/// K1, K2, K3. The set has public members only. Each key has its own ID, use and algorithm, and each coordinate has its
/// full length.
#[tokio::test]
async fn the_public_keys_of_all_algorithms_in_use_are_published() {
    let prokura = start_with(every_algorithm()).await;
    let document = prokura.get(JWKS).await.expect(200).json();
    assert_eq!(document.as_object().unwrap().len(), 1);
    let keys = document["keys"].as_array().unwrap();

    let mut algorithms = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for key in keys {
        let members = key.as_object().unwrap().keys().map(String::as_str);
        let common = ["kid", "kty", "alg", "use"];
        let (kty, material) = match key["alg"].as_str().unwrap() {
            "ES256" => ("EC", &["crv", "x", "y"][..]),
            "EdDSA" => ("OKP", &["crv", "x"][..]),
            "RS256" => ("RSA", &["n", "e"][..]),
            other => panic!("{other}"),
        };
        assert_eq!(
            members.collect::<BTreeSet<_>>(),
            common.iter().chain(material).copied().collect()
        );
        assert_eq!(key["kty"], kty);
        assert_eq!(key["use"], "sig");
        let length = |member: &str| {
            let text = key[member].as_str().unwrap();
            BASE64_URL_SAFE_NO_PAD.decode(text).unwrap().len()
        };
        match kty {
            "EC" => assert_eq!(
                (&key["crv"], length("x"), length("y")),
                (&json!("P-256"), 32, 32)
            ),
            "OKP" => assert_eq!((&key["crv"], length("x")), (&json!("Ed25519"), 32)),
            _ => assert_eq!((length("n"), &key["e"]), (256, &json!("AQAB"))),
        }
        algorithms.insert(key["alg"].as_str().unwrap());
        ids.insert(key["kid"].as_str().unwrap());
    }
    assert_eq!(keys.len(), 3);
    assert_eq!(algorithms, BTreeSet::from(["ES256", "EdDSA", "RS256"]));
    assert_eq!(ids.len(), 3);

    // K3. A key ID is the thumbprint of the key. Another implementation computes it here.
    let keys: JwkSet = serde_json::from_value(document.clone()).unwrap();
    for key in &keys.keys {
        assert_eq!(
            key.common.key_id,
            Some(key.thumbprint(ThumbprintHash::SHA256).unwrap())
        );
    }
}

/// K1. No member of a private key is published.
#[tokio::test]
async fn no_private_member_is_published() {
    fn assert_public(value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
                    assert!(!private.contains(&&**name), "{name}");
                    assert_public(value);
                }
            }
            Value::Array(values) => values.iter().for_each(assert_public),
            _ => {}
        }
    }
    let prokura = start_with(every_algorithm()).await;
    assert_public(&prokura.get(JWKS).await.expect(200).json());
}

/// K1. A server that signs nothing publishes an empty set.
#[tokio::test]
async fn without_jwts_the_set_of_keys_is_empty() {
    let prokura = start().await;
    let document = prokura.get(JWKS).await.expect(200).json();
    assert_eq!(document, json!({ "keys": [] }));
}

/// K4 in part, K2. The keys stay the same when the server restarts.
#[tokio::test]
async fn a_restart_keeps_the_keys() {
    let prokura = start_with(every_algorithm()).await;
    let before = prokura.get(JWKS).await.expect(200).body;
    let prokura = prokura.restart(every_algorithm()).await;
    assert_eq!(prokura.get(JWKS).await.expect(200).body, before);
}

/// K5. Verifiers fetch the keys often, from anywhere.
#[tokio::test]
async fn the_keys_are_public_and_cacheable() {
    let prokura = start_with(every_algorithm()).await;
    let whole = prokura.get(JWKS).await.expect(200);
    assert_eq!(whole.header("cache-control"), "public, max-age=300");
    assert_eq!(whole.header("access-control-allow-origin"), "*");
    let etag = whole.header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2);

    for (tags, status) in [
        (etag.clone(), 304),
        (format!("W/{etag}"), 304),
        (format!("\"another\", {etag}"), 304),
        ("*".to_owned(), 304),
        ("\"another\"".to_owned(), 200),
        (etag.trim_matches('"').to_owned(), 200),
    ] {
        let request = prokura
            .request(Method::GET, JWKS)
            .header("if-none-match", &tags);
        let reply = prokura.send(request).await.expect(status);
        assert_eq!(reply.header("etag"), etag, "{tags}");
        assert_eq!(reply.header("cache-control"), "public, max-age=300");
        assert_eq!(reply.body.is_empty(), status == 304);
    }

    let head = prokura.send(prokura.request(Method::HEAD, JWKS)).await;
    let head = head.expect(200);
    assert!(head.body.is_empty());
    for name in ["content-type", "content-length", "etag", "cache-control"] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }

    // No credentials are needed, and wrong ones do not matter.
    let request = prokura
        .request(Method::GET, JWKS)
        .header("authorization", "Bearer nonsense");
    assert_eq!(prokura.send(request).await.expect(200).body, whole.body);
}

/// K6. The published key says `EdDSA`, which today's verifiers know. A token may also say `Ed25519` (RFC 9864).
#[tokio::test]
async fn both_names_of_ed25519_are_understood() {
    let prokura = start_with(Options::with_format(TokenFormat::Jwt(
        SigningAlgorithm::EdDsa,
    )))
    .await;
    let token = prokura.access_token(&prokura.root).await;
    assert_eq!(header_of(&token)["alg"], "EdDSA");
    let keys = serde_json::from_value(prokura.get(JWKS).await.json()).unwrap();
    let audience = format!("{}/api/v1", prokura.issuer);
    let claims = verify(&keys, &prokura.issuer, &audience, &token);
    assert_eq!(claims, claims_of(&token));

    let forger = prokura.forger(SigningAlgorithm::EdDsa).await;
    for (name, status) in [
        ("EdDSA", 200),
        ("Ed25519", 200),
        ("ed25519", 401),
        ("Ed448", 401),
    ] {
        let mut header = forger.header();
        header["alg"] = json!(name);
        let token = forger.sign(header.to_string(), claims.to_string());
        let reply = prokura
            .api(Method::GET, "/service-accounts", &token, None)
            .await;
        assert_eq!(reply.status, status, "{name}");
    }
}
