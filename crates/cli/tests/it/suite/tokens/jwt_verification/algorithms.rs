//! The signing algorithm is that of the key, whatever the header says (JV1, JV2).

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    },
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use prokura_server::domain::SigningAlgorithm;
use serde_json::json;

use super::{Scene, hex, signature_of, with, with_signature, without};

/// JV1. No signature, or a signature with an unknown algorithm.
#[tokio::test]
async fn a_missing_or_unknown_algorithm_is_refused() {
    let scene = Scene::es256().await;
    let real = signature_of(&scene.issued);
    let mut headers = [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!(""),
        json!("es256"),
        json!("ES256 "),
        json!(7),
        json!(["ES256"]),
        json!({ "ES256": true }),
        json!(null),
    ]
    .map(|algorithm| with(&scene.header, "alg", algorithm))
    .to_vec();
    headers.push(without(&scene.header, "alg"));
    for header in headers {
        let what = header.to_string();
        let signed = scene.forge(&header, &scene.claims);
        scene.assert_refused(&what, &signed).await;
        for signature in [&[][..], b"garbage", &real] {
            let token = with_signature(&signed, signature);
            scene.assert_refused(&what, &token).await;
        }
    }
    // With an unchanged header, a missing or random signature is refused too.
    for signature in [&[][..], b"garbage"] {
        let token = with_signature(&scene.issued, signature);
        scene.assert_refused("no signature", &token).await;
    }
}

/// JV2. The public key, used as an HMAC secret.
#[tokio::test]
async fn a_public_key_is_not_accepted_as_an_hmac_secret() {
    let point = hex("3059301306072a8648ce3d020106082a8648ce3d030107034200");
    let modulus = hex("30820122300d06092a864886f70d01010105000382010f00");
    for (algorithm, prefix) in [
        (SigningAlgorithm::Es256, point),
        (SigningAlgorithm::Rs256, modulus),
    ] {
        let scene = Scene::with(algorithm).await;
        let der = [&prefix, scene.forger.public_key()].concat();
        let pem = pem(&der);
        let jwks = scene.prokura.get("/.well-known/jwks.json").await;
        let jwk = jwks.json()["keys"][0].clone();
        let member = if jwk["kty"] == "EC" { "x" } else { "n" };
        let number = jwk[member].as_str().unwrap();
        let secrets = [
            pem.as_bytes(),
            pem.trim_end().as_bytes(),
            &der,
            scene.forger.public_key(),
            jwk.to_string().as_bytes(),
            number.as_bytes(),
            &BASE64_URL_SAFE_NO_PAD.decode(number).unwrap(),
            &[],
        ]
        .map(<[u8]>::to_vec);
        for secret in &secrets {
            for (name, hash) in [
                ("HS256", hmac::HMAC_SHA256),
                ("HS384", hmac::HMAC_SHA384),
                ("HS512", hmac::HMAC_SHA512),
                // The header may also name the wrong algorithm.
                (algorithm.as_str(), hmac::HMAC_SHA256),
            ] {
                let header = with(&scene.header, "alg", json!(name));
                let token = scene.forge(&header, &scene.claims);
                let (message, _) = token.rsplit_once('.').unwrap();
                let tag = hmac::sign(&hmac::Key::new(hash, secret), message.as_bytes());
                let token = with_signature(&token, tag.as_ref());
                scene.assert_refused(name, &token).await;
            }
        }
    }
}

/// JV2. A key is valid for the one algorithm that it is published with.
#[tokio::test]
async fn a_key_is_valid_for_one_algorithm_only() {
    for algorithm in [
        SigningAlgorithm::Es256,
        SigningAlgorithm::EdDsa,
        SigningAlgorithm::Rs256,
    ] {
        let scene = Scene::with(algorithm).await;
        for name in [
            "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed448", "RS256", "RS384", "RS512",
            "PS256", "HS256",
        ] {
            if name != algorithm.as_str() {
                let token = scene.with_header("alg", json!(name));
                scene.assert_refused(name, &token).await;
            }
        }
    }

    let scene = Scene::with(SigningAlgorithm::Rs256).await;
    let pair = rsa::KeyPair::from_pkcs8(&scene.forger.pkcs8).unwrap();
    let encodings: [(&str, &'static dyn RsaEncoding); 4] = [
        ("RS256", &RSA_PKCS1_SHA256),
        ("RS384", &RSA_PKCS1_SHA384),
        ("RS512", &RSA_PKCS1_SHA512),
        ("PS256", &RSA_PSS_SHA256),
    ];
    for (name, encoding) in encodings {
        for alg in [name, "RS256"] {
            let token = scene.with_header("alg", json!(alg));
            let (message, _) = token.rsplit_once('.').unwrap();
            let mut signature = vec![0; pair.public_modulus_len()];
            let random = SystemRandom::new();
            pair.sign(encoding, &random, message.as_bytes(), &mut signature)
                .unwrap();
            let token = with_signature(&token, &signature);
            if name == "RS256" {
                scene.assert_believed(name, &token).await;
            } else {
                scene.assert_refused(name, &token).await;
            }
        }
    }
}

fn pem(der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64);
    let lines = lines.map(|line| String::from_utf8_lossy(line).into_owned());
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.collect::<Vec<_>>().join("\n")
    )
}
