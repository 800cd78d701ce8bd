//! The form of a token: one spelling, and no spelling that is expensive to parse (JV7, JV8).

use std::time::{Duration, Instant};

use base64::{
    Engine as _,
    prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use reqwest::Method;
use serde_json::json;

use super::{Scene, signature_of, start_with, with};
use crate::harness::{Options, encode};

/// JV7. A JWT is three base64url segments with dots between them. Every other spelling is refused.
#[tokio::test]
async fn a_jwt_has_exactly_three_base64url_segments() {
    let scene = Scene::es256().await;
    // A token whose signature has an alternative spelling.
    let token = loop {
        let token = scene.forge(&scene.header, &scene.claims);
        let (_, signature) = token.rsplit_once('.').unwrap();
        if signature.contains('-') && signature.contains('_') {
            break token;
        }
    };
    scene.assert_believed("as it is", &token).await;
    let [header, claims, signature] = &token.split('.').collect::<Vec<_>>()[..] else {
        panic!("a token has three segments");
    };
    let flattened = json!({ "protected": header, "payload": claims, "signature": signature });
    let general = json!({
        "payload": claims,
        "signatures": [{ "protected": header, "signature": signature }],
    });
    for other in [
        header.to_string(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        "..".to_owned(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{header}.{claims}.{claims}.{signature}"),
        format!("{header}.{claims}.{signature}.."),
        format!("{header}.{claims}.{signature}.{claims}.{signature}"),
        format!("{header}.{claims}..{signature}"),
        format!("{header}:{claims}:{signature}"),
        format!("{header}. {claims}.{signature}"),
        format!("{header} .{claims}.{signature}"),
        format!("{header}.\n{claims}.{signature}"),
        format!("{header}.{claims}\t.{signature}"),
        format!("{token}="),
        format!("{token}=="),
        format!("{header}=.{claims}=.{signature}="),
        format!(
            "{header}.{claims}.{}",
            BASE64_URL_SAFE.encode(signature_of(&token))
        ),
        format!("{header}.{claims}.{}", signature.replace('-', "+")),
        format!("{header}.{claims}.{}", signature.replace('_', "/")),
        token.replace('-', "+").replace('_', "/"),
        format!("\"{token}\""),
        format!("{{{token}}}"),
        format!("{header}.{{{claims}}}.{signature}"),
        format!("{header}.{claims}.{signature}é"),
        flattened.to_string(),
        general.to_string(),
        format!("Bearer {token}"),
    ] {
        scene.assert_refused(&other, &other).await;
    }
    // RFC 9110 §5.5: white space around a header value is removed. A form parameter keeps it.
    for spaced in [
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\n"),
    ] {
        let answer = scene.at_introspection(&spaced).await;
        assert_eq!(answer, json!({ "active": false }), "{spaced:?}");
    }
    let nul = format!("{token}\0");
    let (root, form) = (&scene.prokura.root, [("token", &*nul)]);
    let reply = scene.prokura.form("/oauth2/introspect", root, &form);
    reply.await.expect_oauth_error(400, "invalid_request");
}

/// JV7. The unused bits at the end of a base64url segment must be zero. Otherwise one token would have many spellings.
#[tokio::test]
async fn unused_bits_at_the_end_of_a_segment_must_be_zero() {
    let scene = Scene::es256().await;
    // An ES256 signature has four unused bits.
    let mut spellings = loose_spellings(&scene.issued);
    assert_eq!(spellings.len(), 15);
    // A header and claims of a suitable length have some too, here with a valid signature. Spaces make up the length.
    for (name, text) in [("header", &scene.header), ("claims", &scene.claims)] {
        let mut text = text.to_string();
        while text.len() % 3 != 1 {
            text.insert(1, ' ');
        }
        let strict = encode(&text);
        for loose in std::iter::once(strict.clone()).chain(loose_spellings(&strict)) {
            let message = match name {
                "header" => format!("{loose}.{}", encode(scene.claims.to_string())),
                _ => format!("{}.{loose}", encode(scene.header.to_string())),
            };
            let token = scene.forger.sign_message(&message);
            if loose == strict {
                scene.assert_believed(name, &token).await;
            } else {
                spellings.push(token);
            }
        }
    }
    assert_eq!(spellings.len(), 45);
    for token in spellings {
        scene.assert_refused("loose bits", &token).await;
    }
}

/// JV7, JV9. An opaque token has one spelling too, and every bit of it counts.
#[tokio::test]
async fn an_altered_opaque_token_is_refused() {
    let prokura = start_with(Options::default()).await;
    let path = format!("/service-accounts/{}", prokura.root.id);
    let mut altered = Vec::new();
    // At least one of these two lengths has unused bits.
    for scope in ["management:all", "management:service-accounts:read"] {
        let form = [("scope", scope)];
        let token = prokura.access_token_with(&prokura.root, &form).await;
        let reply = prokura.api(Method::GET, &path, &token, None).await;
        reply.expect(200);
        altered.extend(loose_spellings(&token));
        let body = token.strip_prefix("prka_").unwrap();
        altered.extend([
            body.to_owned(),
            format!("{token}="),
            format!("{token}=="),
            format!("{token}A"),
            format!("PRKA_{body}"),
            format!("prka_{token}"),
            "prka_".to_owned(),
            token.replace('_', "/"),
        ]);
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(body).unwrap();
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            altered.push(format!("prka_{}", encode(&bytes)));
            altered.push(format!("prka_{}", encode(&bytes[..at])));
        }
    }
    assert!(altered.iter().any(|token| token.len() % 4 != 0));
    for token in altered {
        let reply = prokura.api(Method::GET, &path, &token, None).await;
        reply.expect_api_error(401, "invalid_token");
        assert_eq!(
            prokura.introspect(&prokura.root, &token).await,
            json!({ "active": false }),
            "{token}"
        );
    }
}

/// Other texts that a lenient decoder reads as the same bytes: the last character with other unused bits.
fn loose_spellings(text: &str) -> Vec<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = text.split_at(text.len() - 1);
    let value = ALPHABET
        .iter()
        .position(|&char| char == last.as_bytes()[0])
        .unwrap();
    let body = text.strip_prefix("prka_").unwrap_or(text);
    let length = body.rsplit('.').next().map_or(0, str::len);
    let loose = match length % 4 {
        2 => 16,
        3 => 4,
        _ => 1,
    };
    (1..loose)
        .map(|bits| format!("{rest}{}", char::from(ALPHABET[value | bits])))
        .collect()
}

/// JV4, JV14. An oversized token is refused without being parsed, and the server goes on.
#[tokio::test]
async fn an_oversized_token_is_refused() {
    let scene = Scene::es256().await;
    let kid = scene.with_header("kid", json!("k".repeat(1 << 20)));
    let payload = scene.with_claim("scope", json!("s".repeat(10 << 20)));
    let basic = scene.prokura.root.basic();
    for token in [kid, payload] {
        let begun = Instant::now();
        let as_bearer = format!(
            "GET /api/v1/service-accounts HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        let form = format!("token={token}");
        let as_form = format!(
            "POST /oauth2/introspect HTTP/1.1\r\nHost: a\r\nAuthorization: {basic}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        for (request, status) in [(as_bearer, "431"), (as_form, "413")] {
            // A client that keeps writing into a closed connection may never read the response.
            let answer = scene.prokura.wire(request).await;
            let expected = format!("HTTP/1.1 {status} ");
            assert!(
                answer.0.is_empty() || answer.0.starts_with(&expected),
                "{answer:?}"
            );
        }
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    // A form may be longer than any token: up to 16 KiB.
    let token = scene.with_header("kid", json!("k".repeat(9000)));
    assert_eq!(
        scene.at_introspection(&token).await,
        json!({ "active": false })
    );
    scene.assert_believed("afterwards", &scene.issued).await;
}

/// JV8. The server neither decrypts nor decompresses a token.
#[tokio::test]
async fn an_encrypted_or_compressed_token_is_refused_quickly() {
    let scene = Scene::es256().await;
    let begun = Instant::now();
    for header in [
        json!({ "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2s": "c2FsdHNhbHQ", "p2c": 1_000_000_000 }),
        json!({ "alg": "dir", "enc": "A256GCM", "kid": scene.header["kid"], "typ": "at+jwt" }),
        json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF" }),
        json!({ "alg": "ECDH-ES", "enc": "A256GCM", "epk": { "kty": "EC", "crv": "P-256", "x": "", "y": "" } }),
    ] {
        let whole = format!(
            "{}.{}.{}.{}.{}",
            encode(header.to_string()),
            encode([1; 40]),
            encode([2; 12]),
            encode([3; 2000]),
            encode([4; 16])
        );
        scene.assert_refused("five parts", &whole).await;
        let three = scene.forge(&header, &scene.claims);
        scene.assert_refused("three parts", &three).await;
    }
    // A deflate bomb, correctly signed and marked as compressed.
    let header = with(&scene.header, "zip", json!("DEF"));
    let bomb = scene.forger.sign(header.to_string(), [0xed; 4000]);
    scene.assert_refused("a bomb", &bomb).await;
    assert!(begun.elapsed() < Duration::from_secs(5));
}
