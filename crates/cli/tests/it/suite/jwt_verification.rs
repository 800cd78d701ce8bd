//! The JWTs that are believed (section JV): each forgery is shown to the management API and to introspection.
//!
//! The forger holds the server's own signing key, so that a refusal says something about the one thing that is wrong with
//! a token. `client_assertion`, `subject_token` and DPoP, the other places of the section, are not offered.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

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
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::{Value, json};

use super::start_with;
use crate::harness::{Forger, Options, Prokura, claims_of, encode, header_of};

/// A server whose management API takes JWTs, and somebody who holds its key.
struct Scene {
    prokura: Prokura,
    forger: Forger,
    /// A token that the server issued.
    issued: String,
    /// Its header.
    header: Value,
    /// Its claims.
    claims: Value,
}

impl Scene {
    async fn with(algorithm: SigningAlgorithm) -> Self {
        let prokura = start_with(management(TokenFormat::Jwt(algorithm))).await;
        Self::on(prokura, algorithm).await
    }

    async fn on(prokura: Prokura, algorithm: SigningAlgorithm) -> Self {
        let issued = prokura.access_token(&prokura.root).await;
        let scene = Self {
            forger: prokura.forger(algorithm).await,
            header: header_of(&issued),
            claims: claims_of(&issued),
            issued,
            prokura,
        };
        assert_eq!(scene.forger.header(), scene.header);
        // A forgery is refused for what is wrong with it, not for being forged.
        let forged = scene.forge(&scene.header, &scene.claims);
        scene.assert_believed("nothing is wrong", &forged).await;
        scene
    }

    async fn es256() -> Self {
        Self::with(SigningAlgorithm::Es256).await
    }

    fn forge(&self, header: &Value, claims: &Value) -> String {
        self.forger.sign(header.to_string(), claims.to_string())
    }

    /// A token that differs in one member of its header.
    fn with_header(&self, name: &str, value: Value) -> String {
        self.forge(&with(&self.header, name, value), &self.claims)
    }

    /// A token that differs in one claim.
    fn with_claim(&self, name: &str, value: Value) -> String {
        self.forge(&self.header, &with(&self.claims, name, value))
    }

    /// A token one of whose claims has this text for its value, which need not be JSON.
    fn with_claim_text(&self, name: &str, text: &str) -> String {
        let claims = with(&self.claims, name, json!("@@")).to_string();
        self.forger
            .sign(self.header.to_string(), claims.replace("\"@@\"", text))
    }

    async fn at_the_api(&self, token: &str) -> crate::harness::Reply {
        let path = format!("/service-accounts/{}", self.prokura.root.id);
        self.prokura.api(Method::GET, &path, token, None).await
    }

    async fn at_introspection(&self, token: &str) -> Value {
        self.prokura.introspect(&self.prokura.root, token).await
    }

    async fn assert_believed(&self, what: &str, token: &str) {
        assert_eq!(self.at_the_api(token).await.status, 200, "{what}");
        let answer = self.at_introspection(token).await;
        assert_eq!(answer["active"], true, "{what}");
    }

    async fn assert_refused(&self, what: &str, token: &str) {
        let answer = self.at_introspection(token).await;
        assert_eq!(answer, json!({ "active": false }), "{what}");
        if token.contains(|char: char| char.is_ascii_control() || !char.is_ascii()) {
            // No header can carry it.
            return;
        }
        let reply = self.at_the_api(token).await;
        // RFC 6750 §2.1: what is no `token68` is no token at all.
        let (status, error) = if is_token68(token) {
            (401, "invalid_token")
        } else {
            (400, "invalid_request")
        };
        assert_eq!(reply.status, status, "{what}");
        let challenge = reply.header("www-authenticate");
        assert!(challenge.starts_with("Bearer realm="), "{what}");
        assert!(challenge.contains(&format!("error=\"{error}\"")), "{what}");
        reply.expect_api_error(status, error);
    }
}

fn management(format: TokenFormat) -> Options {
    Options {
        management_format: format,
        ..Options::default()
    }
}

fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object
}

fn without(object: &Value, name: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove(name).unwrap();
    object
}

fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let is_in = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(is_in)
}

fn signature_of(token: &str) -> Vec<u8> {
    let (_, signature) = token.rsplit_once('.').unwrap();
    BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap()
}

fn with_signature(token: &str, signature: &[u8]) -> String {
    let (message, _) = token.rsplit_once('.').unwrap();
    format!("{message}.{}", encode(signature))
}

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

/// JV3: a token does not bring its own key, and nobody is asked for one.
#[tokio::test]
async fn a_key_in_the_header_is_not_even_looked_at() {
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
        // Nor from our own key: we write no such header.
        let token = scene.with_header(name, value);
        scene.assert_refused(name, &token).await;
    }
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

/// JV4: `kid` is looked up among our keys and nowhere else.
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
    // What another server signed, key id and all.
    let token = other.forge(&other.header, &scene.claims);
    scene.assert_refused("another server's", &token).await;
    scene
        .assert_refused("another server's", &other.issued)
        .await;

    scene.assert_believed("afterwards", &scene.issued).await;
}

/// JV4, JV14: what is beyond any size of ours costs nobody anything, and the server goes on.
#[tokio::test]
async fn an_enormous_token_is_refused_unread() {
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
            // Who writes on into a closed connection may never read the answer.
            let answer = scene.prokura.wire(request).await;
            let expected = format!("HTTP/1.1 {status} ");
            assert!(
                answer.0.is_empty() || answer.0.starts_with(&expected),
                "{answer:?}"
            );
        }
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    // A form may be longer than any token: 16 KiB.
    let token = scene.with_header("kid", json!("k".repeat(9000)));
    assert_eq!(
        scene.at_introspection(&token).await,
        json!({ "active": false })
    );
    scene.assert_believed("afterwards", &scene.issued).await;
}

/// JV5: RFC 7515 §4.1.11 and the members of other standards: what is not understood is not believed.
#[tokio::test]
async fn a_header_that_is_not_exactly_ours_is_refused() {
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
            // Before and behind: neither the first nor the last of two wins.
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

/// JV6: a JWT of another kind is no access token, though we had signed it.
#[tokio::test]
async fn only_access_tokens_are_access_tokens() {
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

/// JV6: nor is an access token anything else. It does not authenticate a client, whichever way it is presented.
#[tokio::test]
async fn an_access_token_is_no_client_authentication() {
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

/// JV7: three segments of base64url with dots between them, and no second spelling of anything.
#[tokio::test]
async fn a_token_has_one_shape() {
    let scene = Scene::es256().await;
    // One whose signature has something to spell differently.
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
    // A header is trimmed on its way (RFC 9110 §5.5); a parameter is not.
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

/// JV7: the bits that base64 leaves over at the end must be zero, or one token would have many spellings.
#[tokio::test]
async fn loose_bits_at_the_end_are_refused() {
    let scene = Scene::es256().await;
    // An ES256 signature leaves four bits over.
    let mut spellings = loose_spellings(&scene.issued);
    assert_eq!(spellings.len(), 15);
    // So do a header and claims of the right length, here rightly signed. The spaces are JSON's to give.
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

/// JV7, JV9: opaque tokens have one spelling as well, and each bit of it counts.
#[tokio::test]
async fn an_altered_opaque_token_is_refused() {
    let prokura = start_with(Options::default()).await;
    let path = format!("/service-accounts/{}", prokura.root.id);
    let mut altered = Vec::new();
    // Of these two lengths at least one leaves bits over.
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

/// Other texts that a careless decoder reads as the same bytes: the last character with other loose bits.
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

/// JV8: what would be expensive to open is not opened.
#[tokio::test]
async fn an_encrypted_or_compressed_token_is_refused_at_no_cost() {
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
    // A stream of deflate that goes on and on: rightly signed, and named as compressed.
    let header = with(&scene.header, "zip", json!("DEF"));
    let bomb = scene.forger.sign(header.to_string(), [0xed; 4000]);
    scene.assert_refused("a bomb", &bomb).await;
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// JV9: every bit of a token is covered. One of each byte is flipped, and every length is cut.
#[tokio::test]
async fn an_altered_token_is_refused() {
    for algorithm in [
        SigningAlgorithm::Es256,
        SigningAlgorithm::EdDsa,
        SigningAlgorithm::Rs256,
    ] {
        let scene = Scene::with(algorithm).await;
        let signature = signature_of(&scene.issued);
        for at in 0..signature.len() {
            let mut altered = signature.clone();
            altered[at] ^= 1 << (at % 8);
            let token = with_signature(&scene.issued, &altered);
            scene.assert_refused("a flipped bit", &token).await;
        }
        for length in [0, 1, 32, 63, signature.len() - 1] {
            let token = with_signature(&scene.issued, &signature[..length]);
            scene.assert_refused("truncated", &token).await;
        }
        for longer in [
            [&[0], &signature[..]].concat(),
            [&signature[..], &[0]].concat(),
            [&signature[..], &signature[..]].concat(),
            vec![0; signature.len()],
            vec![0xff; signature.len()],
        ] {
            let token = with_signature(&scene.issued, &longer);
            scene
                .assert_refused("another length or value", &token)
                .await;
        }
        // The message under the signature: each character of header and claims.
        let end = scene.issued.rfind('.').unwrap();
        for at in (0..end).step_by(3) {
            let mut altered = scene.issued.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            scene.assert_refused("another message", &altered).await;
        }
        // Another token's signature, and another's claims.
        let other = scene.prokura.access_token(&scene.prokura.root).await;
        let swapped = with_signature(&scene.issued, &signature_of(&other));
        scene.assert_refused("another's signature", &swapped).await;
    }
}

/// JV9: the values of an ES256 signature that careless verifiers take.
#[tokio::test]
async fn an_es256_signature_has_two_numbers_within_range() {
    let scene = Scene::es256().await;
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let signature = signature_of(&scene.issued);
    let (r, s) = signature.split_at(32);
    let (zero, above) = ([0; 32], [0xff; 32]);
    let mut one = zero;
    one[31] = 1;
    let pairs: [(&str, [&[u8]; 2]); 12] = [
        ("r = 0", [&zero, s]),
        ("s = 0", [r, &zero]),
        ("r = s = 0", [&zero, &zero]),
        ("r = n", [&order, s]),
        ("s = n", [r, &order]),
        ("r = n, s = n", [&order, &order]),
        ("r = 0, s = n", [&zero, &order]),
        ("r = n, s = 0", [&order, &zero]),
        ("r = 1, s = 1", [&one, &one]),
        ("r > n", [&above, s]),
        ("s > n", [r, &above]),
        ("exchanged", [s, r]),
    ];
    for (what, numbers) in pairs {
        let token = with_signature(&scene.issued, &numbers.concat());
        scene.assert_refused(what, &token).await;
    }
    // ASN.1, as TLS and certificates have it (RFC 7518 §3.4 has it otherwise).
    let numbers = [integer(r), integer(s)].concat();
    let length = u8::try_from(numbers.len()).unwrap();
    let der = [&[0x30, length], &numbers[..]].concat();
    let token = with_signature(&scene.issued, &der);
    scene.assert_refused("DER", &token).await;
    // 33 bytes each, with a leading zero.
    let padded = [&[0], r, &[0], s].concat();
    let token = with_signature(&scene.issued, &padded);
    scene.assert_refused("leading zeros", &token).await;

    // (r, n - s) is as good a signature: ECDSA has it so. Both spellings are one token, and are revoked as one.
    let twin = with_signature(&scene.issued, &[r, &subtract(&order, s)].concat());
    assert_ne!(twin, scene.issued);
    scene.assert_believed("the twin", &twin).await;
    let form = [("token", &*twin)];
    let (prokura, root) = (&scene.prokura, &scene.prokura.root);
    prokura
        .form("/oauth2/revoke", root, &form)
        .await
        .expect(200);
    scene.assert_refused("the twin", &twin).await;
    scene.assert_refused("the token", &scene.issued).await;
}

/// JV9: the spellings of an Ed25519 signature that are not the one. (Points of small order would have to be our own key.)
#[tokio::test]
async fn an_ed25519_signature_has_one_spelling() {
    let scene = Scene::with(SigningAlgorithm::EdDsa).await;
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let signature = signature_of(&scene.issued);
    let (point, scalar) = signature.split_at(32);
    // RFC 8032 §5.1.7: S must be below the order of the group.
    let mut sum = scalar.to_vec();
    for times in 1..8 {
        let mut carry = 0;
        for (byte, added) in sum.iter_mut().zip(&order) {
            let total = u16::from(*byte) + u16::from(*added) + carry;
            (*byte, carry) = (total as u8, total >> 8);
        }
        assert_eq!(carry, 0);
        let token = with_signature(&scene.issued, &[point, &sum].concat());
        scene.assert_refused(&format!("S + {times}L"), &token).await;
    }
    let identity = [&[1][..], &[0; 31]].concat();
    let no_point = [0xff; 32];
    let mut negative = point.to_vec();
    negative[31] ^= 0x80;
    let halves: [(&str, [&[u8]; 2]); 6] = [
        ("S = 0", [point, &[0; 32]]),
        ("S = L", [point, &order]),
        ("R is the identity", [&identity, scalar]),
        ("R is the identity, S = 0", [&identity, &[0; 32]]),
        ("R is no point", [&no_point, scalar]),
        ("R is the other sign", [&negative, scalar]),
    ];
    for (what, halves) in halves {
        let token = with_signature(&scene.issued, &halves.concat());
        scene.assert_refused(what, &token).await;
    }
}

/// JV9: RSA signatures made without the key. Our keys have 2048 bits and the exponent 65537 (K2), so that roots and small
/// moduli lead nowhere; numbers that are their own power are the ones left to try.
#[tokio::test]
async fn an_rsa_signature_is_not_a_number_that_powers_leave_alone() {
    let scene = Scene::with(SigningAlgorithm::Rs256).await;
    let jwks = scene.prokura.get("/.well-known/jwks.json").await.json();
    let modulus = jwks["keys"][0]["n"].as_str().unwrap();
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(modulus).unwrap();
    let mut one = vec![0; 256];
    one[255] = 1;
    let signature = signature_of(&scene.issued);
    for (what, number) in [
        ("0", vec![0; 256]),
        ("1", one.clone()),
        ("n - 1", subtract(&modulus, &one)),
        ("n", modulus.clone()),
        ("n - s", subtract(&modulus, &signature)),
        ("s without its first byte", signature[1..].to_vec()),
        ("s behind a zero", [&[0], &signature[..]].concat()),
    ] {
        let token = with_signature(&scene.issued, &number);
        scene.assert_refused(what, &token).await;
    }
}

/// JV10: RFC 7519 §4.1.4: a number, of seconds, in the future.
#[tokio::test]
async fn an_expiry_must_be_a_date_to_come() {
    let scene = Scene::es256().await;
    let now = scene.prokura.now() / 1000;
    for (text, believed) in [
        (format!("{}", now + 60), true),
        // RFC 7519 §2: a NumericDate may have a fraction.
        (format!("{}.5", now + 60), true),
        (format!("{}.0", now + 60), true),
        (format!("{}e0", now + 60), true),
        (format!("\"{}\"", now + 60), false),
        (format!("[{}]", now + 60), false),
        (format!("{}", now - 60), false),
        (format!("-{}", now + 60), false),
        ("1700000000.5".to_owned(), false),
        ("0".to_owned(), false),
        ("-1".to_owned(), false),
        ("null".to_owned(), false),
        ("true".to_owned(), false),
        ("{}".to_owned(), false),
        ("\"\"".to_owned(), false),
        ("NaN".to_owned(), false),
        ("Infinity".to_owned(), false),
        ("1e400".to_owned(), false),
        ("-1e400".to_owned(), false),
        ("1e300".to_owned(), false),
        ("9999999999999".to_owned(), false),
        ("18446744073709551616".to_owned(), false),
        ("9223372036854775807".to_owned(), false),
        ("9".repeat(2000), false),
        (format!("0{}", now + 60), false),
        (format!("+{}", now + 60), false),
    ] {
        let token = scene.with_claim_text("exp", &text);
        if believed {
            scene.assert_believed(&text, &token).await;
        } else {
            scene.assert_refused(&text, &token).await;
        }
    }
    for name in ["exp", "iat"] {
        let token = scene.forge(&scene.header, &without(&scene.claims, name));
        scene.assert_refused(name, &token).await;
    }
    for text in ["null", "\"0\"", "-1", "1e400", "true"] {
        let token = scene.with_claim_text("iat", text);
        scene.assert_refused(text, &token).await;
    }
}

/// JV10, JV11: without any leeway at the end, for the clock is ours.
#[tokio::test]
async fn a_token_is_dead_at_its_very_expiry() {
    let scene = Scene::es256().await;
    let now = scene.prokura.now() / 1000;
    let dead = scene.with_claim("exp", json!(now));
    scene.assert_refused("exp is now", &dead).await;
    let token = scene.with_claim("exp", json!(now + 1));
    scene.prokura.advance(999);
    scene.assert_believed("a millisecond before", &token).await;
    scene.prokura.advance(1);
    scene.assert_refused("at the very second", &token).await;
    scene.prokura.advance(1);
    scene.assert_refused("a millisecond after", &token).await;

    // The same of a token that the server issued.
    let expires_at = scene.claims["exp"].as_i64().unwrap() * 1000;
    scene.prokura.advance(expires_at - scene.prokura.now() - 1);
    scene.assert_believed("issued", &scene.issued).await;
    scene.prokura.advance(1);
    scene.assert_refused("issued", &scene.issued).await;
}

/// JV11: a node whose clock is up to a minute ahead issues tokens that count here at once. `nbf`, which we do not write,
/// has no leeway of its own: it may not lie behind `iat`.
#[tokio::test]
async fn a_token_from_the_future_is_refused_beyond_a_minute() {
    let scene = Scene::es256().await;
    let now = scene.prokura.now() / 1000;
    for (seconds, believed) in [
        (0, true),
        (10, true),
        (60, true),
        (61, false),
        (3600, false),
    ] {
        let what = format!("iat {seconds} s ahead");
        let token = scene.with_claim("iat", json!(now + seconds));
        if believed {
            scene.assert_believed(&what, &token).await;
        } else {
            scene.assert_refused(&what, &token).await;
        }
    }
    for (nbf, believed) in [
        (json!(now), true),
        (json!(now - 3600), true),
        (json!(now + 1), false),
        (json!(now + 3600), false),
        (json!("0"), false),
        (json!(true), false),
        (json!([now]), false),
    ] {
        let what = format!("nbf {nbf}");
        let token = scene.with_claim("nbf", nbf);
        if believed {
            scene.assert_believed(&what, &token).await;
        } else {
            scene.assert_refused(&what, &token).await;
        }
    }
    // Not before, though it will be in order by then: the same `nbf` and `iat`.
    let ahead = with(&scene.claims, "iat", json!(now + 120));
    let ahead = scene.forge(&scene.header, &with(&ahead, "nbf", json!(now + 120)));
    scene.assert_refused("both ahead", &ahead).await;
    scene.prokura.advance(60_000);
    scene.assert_believed("a minute later", &ahead).await;
}

/// JV12: a token for another API is none here.
#[tokio::test]
async fn an_audience_must_be_ours_to_the_letter() {
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

/// JV13: a key is bound to its issuer. The same database, key and accounts under another name make other tokens.
#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    for format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let prokura = start_with(management(format)).await;
        let token = prokura.access_token(&prokura.root).await;
        let path = format!("/service-accounts/{}", prokura.root.id);
        let audience = format!("{}/api/v1", prokura.issuer);
        // It outlives a restart under the same name.
        let prokura = prokura.restart(management(format)).await;
        prokura
            .api(Method::GET, &path, &token, None)
            .await
            .expect(200);

        // Under another name, everything else is as it was, its audience included.
        let prokura = prokura
            .restart(Options {
                public_path: "/staging",
                aliases: vec![audience],
                ..management(format)
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

/// JV13: two installations with one master key. Nothing of the one is anything at the other.
#[tokio::test]
async fn a_token_of_another_installation_is_refused() {
    for format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let (ours, theirs) = (
            start_with(management(format)).await,
            start_with(management(format)).await,
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

/// JV13: `iss` to the letter, from our own key too.
#[tokio::test]
async fn an_issuer_must_be_ours_to_the_letter() {
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

/// JV14: claims are one JSON object in UTF-8, each of them there once.
#[tokio::test]
async fn claims_that_are_no_plain_object_are_refused() {
    let scene = Scene::es256().await;
    let header = scene.header.to_string();
    let whole = scene.claims.to_string();
    let members = whole.trim_start_matches('{').trim_end_matches('}');
    // A list of the same values in the order of the server's own reading is no object either.
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
        // Each twice, before and behind.
        &format!("{{\"iss\":\"x\",{members}}}"),
        &format!("{{{members},\"iss\":\"x\"}}"),
        &format!("{{{members},{members}}}"),
        &format!("{{\"exp\":1,{members}}}"),
        &format!("{{{members},\"exp\":9999999999}}"),
        &format!("{{{members},\"\\u0065xp\":9999999999}}"),
        // Lone surrogates, half of a pair, the wrong way round.
        &whole.replacen("management:all", "\\ud800", 1),
        &whole.replacen("management:all", "\\udc00\\ud800", 1),
        &whole.replacen("management:all", "\\ud83d", 1),
        &whole.replacen("management:all", "management:all\\u0000", 1),
        // Deep in something known, in something unknown, and before anything else.
        &with_raw(&scene.claims, "aud", &nested(2000)),
        &format!("{{{members},\"x\":{}}}", nested(1500)),
        &nested(2500),
        &format!("{}1{}", "{\"a\":".repeat(400), "}".repeat(400)),
        // What no token of ours says is not understood, hence not believed: a bound token is no bearer token (B13).
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
    // 10 000 levels, unsigned or signed, are longer than any token.
    let token = scene.forger.sign(&header, nested(10_000));
    let reply = scene.at_the_api(&token).await;
    reply.expect_api_error(401, "invalid_token");
    assert!(begun.elapsed() < Duration::from_secs(5));
    scene.assert_believed("afterwards", &scene.issued).await;

    // White space is JSON's to give, and the claims have no order.
    let spaced = format!(
        "{{ \n{}\t}}",
        members.split(',').rev().collect::<Vec<_>>().join(" ,\r\n")
    );
    let token = scene.forger.sign(&header, spaced);
    scene.assert_believed("spaced", &token).await;
}

fn with_raw(object: &Value, name: &str, text: &str) -> String {
    let object = with(object, name, json!("@@"));
    object.to_string().replace("\"@@\"", text)
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

/// JV14: each claim is there and of its type, and they agree with each other.
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
    // A scope beyond what the account holds is not gained by signing it.
    let claims = scene.with_claim("scope", json!("management:all orders:write"));
    let answer = scene.at_introspection(&claims).await;
    assert_eq!(answer["scope"], "management:all");
}

/// JV15, G4: a token ends with its account, by its own revocation, and with its key.
#[tokio::test]
async fn a_token_of_a_deleted_account_a_revoked_one_and_one_of_a_retired_key_are_refused() {
    let scene = Scene::es256().await;
    let (prokura, root) = (&scene.prokura, &scene.prokura.root);
    let body = json!({ "name": "CI", "scopes": ["management:all"] });
    let (account, client) = prokura.create(&scene.issued, body).await;
    let tokens = [
        prokura.access_token(&client).await,
        prokura.access_token(&client).await,
    ];
    for token in &tokens {
        scene.assert_believed("of a living account", token).await;
    }
    let path = format!("/service-accounts/{}", account["id"].as_str().unwrap());
    prokura
        .api(Method::DELETE, &path, &scene.issued, None)
        .await
        .expect(204);
    for token in &tokens {
        scene.assert_refused("of a deleted account", token).await;
    }

    let revoked = prokura.access_token(root).await;
    scene.assert_believed("before", &revoked).await;
    let form = [("token", &*revoked)];
    prokura
        .form("/oauth2/revoke", root, &form)
        .await
        .expect(200);
    scene.assert_refused("revoked", &revoked).await;
    // Its id is what is revoked, however it is signed again.
    let again = scene.forge(&scene.header, &claims_of(&revoked));
    assert_ne!(again, revoked);
    scene.assert_refused("revoked", &again).await;
    scene.assert_believed("another token", &scene.issued).await;

    // Retirement has no command yet; this is what one will do.
    prokura
        .change_database("UPDATE signing_keys SET retired_at = 1, generation = 0")
        .await;
    let (old, old_kid) = (scene.issued, scene.header["kid"].clone());
    let options = management(TokenFormat::Jwt(SigningAlgorithm::Es256));
    let scene = Scene::on(
        scene.prokura.restart(options).await,
        SigningAlgorithm::Es256,
    )
    .await;
    assert_ne!(scene.header["kid"], old_kid);
    scene.assert_refused("of a retired key", &old).await;
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
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

/// `a - b` of two big-endian numbers of one length, `a` not less than `b`.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut difference = a.to_vec();
    let mut borrow = 0;
    for (byte, subtracted) in difference.iter_mut().zip(b).rev() {
        let rest = i16::from(*byte) - i16::from(*subtracted) - borrow;
        (*byte, borrow) = (rest.rem_euclid(256) as u8, i16::from(rest < 0));
    }
    assert_eq!(borrow, 0);
    difference
}

/// An ASN.1 INTEGER of a big-endian number of at most 33 bytes.
fn integer(number: &[u8]) -> Vec<u8> {
    let first = number.iter().position(|&byte| byte != 0).unwrap_or(0);
    let mut number = number[first..].to_vec();
    if number[0] >= 0x80 {
        number.insert(0, 0);
    }
    [&[2, u8::try_from(number.len()).unwrap()], &number[..]].concat()
}
