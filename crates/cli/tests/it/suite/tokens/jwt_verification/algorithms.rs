//! The algorithm is the key's: who cannot sign with it cannot talk the server into another (JV1, JV2).

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

/// JV1: no signature, or one by nobody, whatever `alg` says.
#[tokio::test]
async fn an_algorithm_of_nobody_is_refused() {
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
    // The honest header does not help who cannot sign.
    for signature in [&[][..], b"garbage"] {
        let token = with_signature(&scene.issued, signature);
        scene.assert_refused("no signature", &token).await;
    }
}

/// JV2: the public key, which everybody has, taken for the secret of an HMAC.
#[tokio::test]
async fn a_public_key_is_no_hmac_secret() {
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
                // The header may lie about the algorithm, too.
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

/// JV2: a key signs with the one algorithm that it is published for.
#[tokio::test]
async fn one_key_has_one_algorithm() {
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
