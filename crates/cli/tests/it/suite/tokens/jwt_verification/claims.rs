//! Issuer, audience and the other claims (JV12 to JV14).

use std::time::{Duration, Instant};

use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Scene, start_with, with, without};
use crate::harness::Options;

/// JV12. A token for another API is refused.
#[tokio::test]
async fn the_audience_must_match_exactly() {
    let scene = Scene::es256().await;
    let ours = scene.claims["aud"].as_str().unwrap().to_owned();
    for (audience, believed) in [
        (json!(ours), true),
        (json!([ours]), true),
        (json!([ours, "https://other.example"]), true),
        (json!(["https://other.example", ours]), true),
        (json!("https://other.example"), false),
        (json!(["https://other.example"]), false),
        (json!([]), false),
        (json!(""), false),
        (json!([""]), false),
        (json!(null), false),
        (json!([null]), false),
        (json!(7), false),
        (json!([ours, 7]), false),
        (json!([[ours]]), false),
        (json!({ "aud": ours }), false),
        (json!(format!("{ours}/")), false),
        (json!(format!("{ours}#")), false),
        (json!(format!("{ours} ")), false),
        (json!(format!(" {ours}")), false),
        (json!(ours.to_uppercase()), false),
        (json!(ours.replacen("http", "HTTP", 1)), false),
        (json!(ours.replacen("http", "https", 1)), false),
        (json!(ours.trim_end_matches("/v1")), false),
        (json!(format!("{ours}/service-accounts")), false),
        (json!(scene.prokura.issuer), false),
        (json!(scene.prokura.root.client_id), false),
    ] {
        let what = audience.to_string();
        let token = scene.with_claim("aud", audience);
        if believed {
            scene.assert_believed(&what, &token).await;
        } else {
            scene.assert_refused(&what, &token).await;
        }
    }
    let token = scene.forge(&scene.header, &without(&scene.claims, "aud"));
    scene.assert_refused("missing", &token).await;
}

/// JV13. A key is bound to its issuer. With another issuer, the same database, keys and accounts do not make a token
/// valid.
#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    for format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let prokura = start_with(Options::with_format(format)).await;
        let token = prokura.access_token(&prokura.root).await;
        let path = format!("/service-accounts/{}", prokura.root.id);
        let audience = format!("{}/api/v1", prokura.issuer);
        // The token stays valid when the server restarts with the same issuer.
        let prokura = prokura.restart(Options::with_format(format)).await;
        prokura
            .api(Method::GET, &path, &token, None)
            .await
            .expect(200);

        // Only the issuer changes. The audience of the token is still a name of the API.
        let prokura = prokura
            .restart(Options {
                public_path: "/staging",
                aliases: vec![audience],
                ..Options::with_format(format)
            })
            .await;
        prokura
            .api(Method::GET, &path, &token, None)
            .await
            .expect_api_error(401, "invalid_token");
        let answer = prokura.introspect(&prokura.root, &token).await;
        assert_eq!(answer, json!({ "active": false }));
        let token = prokura.access_token(&prokura.root).await;
        prokura
            .api(Method::GET, &path, &token, None)
            .await
            .expect(200);
    }
}

/// JV13. Two installations with the same master key do not accept each other's tokens.
#[tokio::test]
async fn a_token_of_another_installation_is_refused() {
    for format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let (ours, theirs) = (
            start_with(Options::with_format(format)).await,
            start_with(Options::with_format(format)).await,
        );
        let token = theirs.access_token(&theirs.root).await;
        assert_eq!(
            theirs.introspect(&theirs.root, &token).await["active"],
            true
        );
        ours.api(Method::GET, "/service-accounts", &token, None)
            .await
            .expect_api_error(401, "invalid_token");
        assert_eq!(
            ours.introspect(&ours.root, &token).await,
            json!({ "active": false })
        );
    }
}

/// JV13. `iss` must match exactly, even when our own key signed the token.
#[tokio::test]
async fn the_issuer_must_match_exactly() {
    let scene = Scene::es256().await;
    let ours = scene.claims["iss"].as_str().unwrap().to_owned();
    for issuer in [
        json!(format!("{ours}/")),
        json!(ours.to_uppercase()),
        json!(format!("{ours}/tenant")),
        json!(ours.replacen("http", "https", 1)),
        json!("https://other.example"),
        json!(""),
        json!([ours]),
        json!(7),
        json!(null),
    ] {
        let what = issuer.to_string();
        let token = scene.with_claim("iss", issuer);
        scene.assert_refused(&what, &token).await;
    }
    let token = scene.forge(&scene.header, &without(&scene.claims, "iss"));
    scene.assert_refused("missing", &token).await;
}

/// JV14, B13. The claims are one JSON object in UTF-8 with no duplicate members.
#[tokio::test]
async fn claims_that_are_not_one_json_object_without_duplicates_are_refused() {
    let scene = Scene::es256().await;
    let header = scene.header.to_string();
    let whole = scene.claims.to_string();
    let members = whole.trim_start_matches('{').trim_end_matches('}');
    // An array with the same values in the server's own order is not an object.
    let values = |names: &[&str]| {
        let values = names.iter().map(|name| scene.claims[name].clone());
        Value::Array(values.collect()).to_string()
    };
    let before = ["iss", "sub", "aud", "client_id", "scope", "iat", "exp"];
    let after = ["jti", "organization_id", "token_epoch"];
    let utf_16 = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect::<Vec<_>>()
    };
    let mut payloads: Vec<Vec<u8>> = [
        "",
        "{}",
        "null",
        "true",
        "1",
        "\"text\"",
        "[]",
        &values(&[&before[..], &after].concat()),
        &values(&[&before[..], &["nbf"], &after].concat()),
        &format!("[{whole}]"),
        &format!("{whole}{whole}"),
        &format!("{whole},"),
        &format!("{whole} x"),
        &format!("{whole}\0"),
        &format!("{{{members}"),
        &format!("{{{members},}}"),
        &format!("\u{feff}{whole}"),
        &format!("/* */{whole}"),
        &whole.replace('"', "'"),
        // Each claim twice, the duplicate first or last.
        &format!("{{\"iss\":\"x\",{members}}}"),
        &format!("{{{members},\"iss\":\"x\"}}"),
        &format!("{{{members},{members}}}"),
        &format!("{{\"exp\":1,{members}}}"),
        &format!("{{{members},\"exp\":9999999999}}"),
        &format!("{{{members},\"\\u0065xp\":9999999999}}"),
        // Lone surrogates, half of a pair, and a reversed pair.
        &whole.replacen("management:all", "\\ud800", 1),
        &whole.replacen("management:all", "\\udc00\\ud800", 1),
        &whole.replacen("management:all", "\\ud83d", 1),
        &whole.replacen("management:all", "management:all\\u0000", 1),
        // Deep nesting in a known claim, in an unknown claim, and before all other claims.
        &scene.claims_with_text("aud", &nested(2000)),
        &format!("{{{members},\"x\":{}}}", nested(1500)),
        &nested(2500),
        &format!("{}1{}", "{\"a\":".repeat(400), "}".repeat(400)),
        // Unknown claims are refused. So a bound token is not accepted as a bearer token (B13).
        &format!("{{{members},\"cnf\":{{\"jkt\":\"x\"}}}}"),
        &format!("{{{members},\"x\":1}}"),
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    payloads.push(utf_16(&whole));
    payloads.push([&[0xfe, 0xff][..], &utf_16(&whole)].concat());
    for bad in [&b"\xff"[..], b"\xc3\x28", b"\xed\xa0\x80", b"\xc0\x80"] {
        let at = whole.find("management:all").unwrap();
        payloads.push([&whole.as_bytes()[..at], bad, &whole.as_bytes()[at..]].concat());
    }
    let begun = Instant::now();
    for payload in payloads {
        let token = scene.forger.sign(&header, &payload);
        scene
            .assert_refused(&String::from_utf8_lossy(&payload), &token)
            .await;
    }
    // 10 000 levels make the token longer than any token may be.
    let token = scene.forger.sign(&header, nested(10_000));
    let reply = scene.at_the_api(&token).await;
    reply.expect_api_error(401, "invalid_token");
    assert!(begun.elapsed() < Duration::from_secs(5));
    scene.assert_believed("afterwards", &scene.issued).await;

    // White space and the order of the claims do not matter.
    let spaced = format!(
        "{{ \n{}\t}}",
        members.split(',').rev().collect::<Vec<_>>().join(" ,\r\n")
    );
    let token = scene.forger.sign(&header, spaced);
    scene.assert_believed("spaced", &token).await;
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

/// JV14. Every claim is required, has its type, and agrees with the others.
#[tokio::test]
async fn a_claim_that_is_missing_or_of_another_type_is_refused() {
    let scene = Scene::es256().await;
    let names = scene.claims.as_object().unwrap().keys();
    for name in names {
        let token = scene.forge(&scene.header, &without(&scene.claims, name));
        scene.assert_refused(name, &token).await;
        for value in [json!(null), json!({}), json!([]), json!(true)] {
            let what = format!("{name}: {value}");
            let token = scene.with_claim(name, value);
            scene.assert_refused(&what, &token).await;
        }
    }
    let other = "sa_01930a3e-7b1c-7def-8000-0123456789ab";
    for (name, value) in [
        ("sub", json!(other)),
        ("client_id", json!(other)),
        ("client_id", json!(scene.prokura.root.id)),
        ("jti", json!("1")),
        (
            "organization_id",
            json!("00000000-0000-0000-0000-000000000000"),
        ),
        ("token_epoch", json!(1)),
        ("token_epoch", json!("0")),
        ("token_epoch", json!(0.5)),
        ("scope", json!(["management:all"])),
        ("scope", json!("management:all ")),
        ("scope", json!("")),
    ] {
        let what = format!("{name}: {value}");
        let token = scene.with_claim(name, value);
        scene.assert_refused(&what, &token).await;
    }
    let claims = with(&scene.claims, "sub", json!(other));
    let nobody = scene.forge(&scene.header, &with(&claims, "client_id", json!(other)));
    scene
        .assert_refused("an account that is not", &nobody)
        .await;
    // Signing a scope that the account does not have does not grant it.
    let claims = scene.with_claim("scope", json!("management:all orders:write"));
    let answer = scene.at_introspection(&claims).await;
    assert_eq!(answer["scope"], "management:all");
}
