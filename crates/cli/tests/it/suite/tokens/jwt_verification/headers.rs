//! The header of a JWT (JV3 to JV6).

use std::net::TcpListener;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use prokura_server::domain::SigningAlgorithm;
use serde_json::json;

use super::{Scene, with, without};
use crate::harness::{Forger, encode};

/// JV3. A key in the header is ignored, and the server fetches no URL.
#[tokio::test]
async fn a_key_in_the_header_is_ignored() {
    let scene = Scene::es256().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());

    let pair = rcgen::KeyPair::generate().unwrap();
    let attacker = Forger::new(SigningAlgorithm::Es256, &pair.serialize_der());
    let certificate = rcgen::CertificateParams::default()
        .self_signed(&pair)
        .unwrap();
    let chain = json!([BASE64_STANDARD.encode(certificate.der())]);
    let (x, y) = attacker.public_key()[1..].split_at(32);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });

    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("x5c", chain),
        ("x5t", json!(encode([1; 20]))),
        ("x5t#S256", json!(encode([1; 32]))),
    ] {
        let own = attacker.header();
        for header in [
            with(&scene.header, name, value.clone()),
            with(&own, name, value.clone()),
            with(&without(&own, "kid"), name, value.clone()),
            with(&with(&own, "kid", json!(url)), name, value.clone()),
        ] {
            let token = attacker.sign(header.to_string(), scene.claims.to_string());
            scene.assert_refused(name, &token).await;
        }
        // This is also refused when our own key signed it: the server never writes such a header.
        let token = scene.with_header(name, value);
        scene.assert_refused(name, &token).await;
    }
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

/// JV4. The server looks `kid` up among its own keys only.
#[tokio::test]
async fn an_unknown_key_id_is_refused() {
    let scene = Scene::es256().await;
    let other = Scene::es256().await;
    assert_ne!(other.header["kid"], scene.header["kid"]);
    let kid = scene.header["kid"].as_str().unwrap();
    for value in [
        json!("unknown"),
        json!(""),
        json!("../../dev/null"),
        json!("/dev/null"),
        json!("' OR 1=1--"),
        json!("'; DROP TABLE signing_keys; --"),
        json!("$1"),
        json!(format!("{kid} ")),
        json!(kid.to_lowercase()),
        json!(format!("{kid}\0")),
        json!("\0"),
        json!("k".repeat(4000)),
        json!(0),
        json!([kid]),
        json!({ "kid": kid }),
        json!(null),
        other.header["kid"].clone(),
    ] {
        let token = scene.with_header("kid", value.clone());
        scene.assert_refused(&value.to_string(), &token).await;
    }
    let token = scene.forge(&without(&scene.header, "kid"), &scene.claims);
    scene.assert_refused("missing", &token).await;
    // A token that another server signed, with its key ID.
    let token = other.forge(&other.header, &scene.claims);
    scene.assert_refused("another server's", &token).await;
    scene
        .assert_refused("another server's", &other.issued)
        .await;

    scene.assert_believed("afterwards", &scene.issued).await;
}

/// JV5. RFC 7515 §4.1.11 and the members of other standards: an unknown member is refused.
#[tokio::test]
async fn an_unknown_or_duplicate_header_member_is_refused() {
    let scene = Scene::es256().await;
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["http://example.com/unknown"])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A128GCM")),
        ("nonce", json!("n")),
    ] {
        let token = scene.with_header(name, value);
        scene.assert_refused(name, &token).await;
    }
    let header = with(&scene.header, "b64", json!(false));
    let header = with(&header, "crit", json!(["b64"]));
    let token = scene.forge(&header, &scene.claims);
    scene.assert_refused("b64 and crit", &token).await;

    let whole = scene.header.to_string();
    for name in ["alg", "typ", "kid"] {
        for value in [scene.header[name].clone(), json!("other")] {
            // The duplicate first or last: neither of the two counts.
            for twice in [
                whole.replacen('{', &format!("{{\"{name}\":{value},"), 1),
                format!("{},\"{name}\":{value}}}", whole.trim_end_matches('}')),
            ] {
                let token = scene.forger.sign(&twice, scene.claims.to_string());
                scene.assert_refused(&twice, &token).await;
            }
        }
    }
    for header in [
        "",
        "{}",
        "null",
        "[]",
        &json!(["ES256", "at+jwt", scene.header["kid"]]).to_string(),
        "\"ES256\"",
        "{\"alg\":\"ES256\"",
        &format!("\u{feff}{whole}"),
        &format!("{whole}{whole}"),
    ] {
        let token = scene.forger.sign(header, scene.claims.to_string());
        scene.assert_refused(header, &token).await;
    }
}

/// JV6. A JWT of another type is not an access token, even when our own key signed it.
#[tokio::test]
async fn a_jwt_of_another_type_is_not_an_access_token() {
    let scene = Scene::es256().await;
    for typ in [
        "at+jwt",
        "AT+JWT",
        "At+Jwt",
        "application/at+jwt",
        "APPLICATION/AT+JWT",
    ] {
        let token = scene.with_header("typ", json!(typ));
        scene.assert_believed(typ, &token).await;
    }
    for typ in [
        json!("JWT"),
        json!("jwt"),
        json!(""),
        json!("at"),
        json!("at+jwt "),
        json!("text/at+jwt"),
        json!("application/application/at+jwt"),
        json!("application/"),
        json!("application/at+jwt; v=1"),
        json!("dpop+jwt"),
        json!("client-authentication+jwt"),
        json!("secevent+jwt"),
        json!("statuslist+jwt"),
        json!("token-introspection+jwt"),
        json!(["at+jwt"]),
        json!(1),
        json!(null),
    ] {
        let token = scene.with_header("typ", typ.clone());
        scene.assert_refused(&typ.to_string(), &token).await;
    }
    let token = scene.forge(&without(&scene.header, "typ"), &scene.claims);
    scene.assert_refused("missing", &token).await;
}

/// JV6. An access token does not authenticate a client, whichever way it is presented.
#[tokio::test]
async fn an_access_token_does_not_authenticate_a_client() {
    let scene = Scene::es256().await;
    let assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let (id, token) = (&scene.prokura.root.client_id, &scene.issued);
    for body in [
        format!(
            "grant_type=client_credentials&client_assertion_type={assertion}&client_assertion={token}"
        ),
        format!(
            "grant_type=client_credentials&client_assertion_type={assertion}&client_assertion={token}&client_id={id}"
        ),
        format!("grant_type=client_credentials&client_id={id}&client_secret={token}"),
    ] {
        scene
            .prokura
            .raw_form("/oauth2/token", &[], &body)
            .await
            .expect_oauth_error(401, "invalid_client");
    }
    let bearer = format!("Bearer {token}");
    scene
        .prokura
        .raw_form(
            "/oauth2/token",
            &[("authorization", &bearer)],
            "grant_type=client_credentials",
        )
        .await
        .expect_oauth_error(401, "invalid_client");
}
