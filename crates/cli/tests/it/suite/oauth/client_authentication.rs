//! Client authentication by secret (section A).
//!
//! A20 (nothing at rest in clear) is tested with the real binary, which has files and a log to search.

use std::sync::atomic::Ordering;

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE},
};
use reqwest::{Method, header::HeaderValue};
use serde_json::json;

use super::start;
use crate::harness::{Credentials, Prokura, Reply};

const TOKEN: &str = "/oauth2/token";
const GRANT: &str = "grant_type=client_credentials";
/// The endpoints at which clients authenticate, each with a body that lacks nothing else.
const ENDPOINTS: [(&str, &str); 3] = [
    (TOKEN, GRANT),
    ("/oauth2/introspect", "token=x"),
    ("/oauth2/revoke", "token=x"),
];

/// A token request with these Authorization headers.
async fn ask(prokura: &Prokura, authorizations: &[&str], body: &str) -> Reply {
    let headers = authorizations
        .iter()
        .map(|value| ("authorization", *value))
        .collect::<Vec<_>>();
    prokura.raw_form(TOKEN, &headers, body).await
}

/// The value of a Basic header around any bytes.
fn basic_of(bytes: impl AsRef<[u8]>) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(bytes))
}

/// `credentials` with another secret of the right shape: `other`'s.
fn with_secret_of(credentials: &Credentials, other: &Credentials) -> Credentials {
    Credentials {
        client_secret: other.client_secret.clone(),
        ..credentials.clone()
    }
}

/// The same secret with its last character changed, so that its checksum is wrong.
fn mistyped(credentials: &Credentials) -> Credentials {
    let mut secret = credentials.client_secret.clone();
    let last = if secret.pop() == Some('x') { 'y' } else { 'x' };
    secret.push(last);
    Credentials {
        client_secret: secret,
        ..credentials.clone()
    }
}

/// Three accounts for a comparison: alive, deleted, and one that never was.
struct Strangers {
    living: Credentials,
    deleted: Credentials,
    unknown: Credentials,
}

impl Strangers {
    async fn meet(prokura: &Prokura) -> Self {
        let token = prokura.access_token(&prokura.root).await;
        let (_, living) = prokura.create(&token, json!({ "name": "living" })).await;
        let (_, deleted) = prokura.create(&token, json!({ "name": "deleted" })).await;
        prokura.token(&deleted, &[]).await.expect(200);
        let path = format!("/service-accounts/{}", deleted.id);
        prokura
            .api(Method::DELETE, &path, &token, None)
            .await
            .expect(204);
        let unknown = Credentials {
            client_id: "sa_01930a3e-7b1c-7def-8000-0123456789ab".to_owned(),
            ..living.clone()
        };
        Self {
            living,
            deleted,
            unknown,
        }
    }
}

/// A1: RFC 6749 §5.2, RFC 7617 §2.
#[tokio::test]
async fn a_wrong_secret_is_invalid_client_with_a_basic_challenge() {
    let prokura = start().await;
    let other = prokura.bootstrap("Other").await;
    let wrong = with_secret_of(&prokura.root, &other).basic();
    for (path, body) in ENDPOINTS {
        let reply = prokura
            .raw_form(path, &[("authorization", &wrong)], body)
            .await
            .expect_oauth_error(401, "invalid_client");
        assert_eq!(
            reply.header("www-authenticate"),
            r#"Basic realm="prokura", charset="UTF-8""#,
            "{path}"
        );
    }
}

/// A2, A6, A19: whoever is not let in learns nothing about why, at any endpoint and however he presents himself. That a
/// checksum is wrong is no secret of ours, but it is answered like everything else.
#[tokio::test]
async fn every_way_not_to_be_a_client_is_answered_alike() {
    let prokura = start().await;
    let Strangers {
        living,
        deleted,
        unknown,
    } = Strangers::meet(&prokura).await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, disabled) = prokura.create(&token, json!({ "name": "disabled" })).await;
    let (_, without) = prokura.create(&token, json!({ "name": "without" })).await;
    let prokura = prokura
        .alter(
            "UPDATE service_accounts SET disabled_at = 0 WHERE id = $1",
            &disabled,
        )
        .await;
    let prokura = prokura
        .alter(
            "DELETE FROM secrets WHERE service_account_id = $1",
            &without,
        )
        .await;
    prokura.token(&living, &[]).await.expect(200);

    let nobody = |client_id: &str| Credentials {
        client_id: client_id.to_owned(),
        ..living.clone()
    };
    let secret = |client_secret: &str| Credentials {
        client_secret: client_secret.to_owned(),
        ..living.clone()
    };
    let cases = [
        ("unknown", unknown),
        ("not an id of ours", nobody("admin")),
        ("the account's id, not its client id", nobody(&living.id)),
        ("upper case", nobody(&living.client_id.to_uppercase())),
        ("no id", nobody("")),
        ("deleted", deleted),
        ("disabled", disabled),
        ("an account without a secret", without),
        ("another's secret", with_secret_of(&living, &prokura.root)),
        ("a wrong checksum", mistyped(&living)),
        ("a secret of another shape", secret("hunter2")),
        ("a secret cut short", secret(&living.client_secret[..52])),
        (
            "a secret and a space",
            secret(&format!("{} ", living.client_secret)),
        ),
        ("no secret", secret("")),
    ];
    for (path, body) in ENDPOINTS {
        let nothing = prokura
            .raw_form(path, &[], body)
            .await
            .expect_oauth_error(401, "invalid_client")
            .fingerprint();
        for (case, credentials) in &cases {
            let by_basic = prokura
                .raw_form(path, &[("authorization", &credentials.basic())], body)
                .await;
            assert_eq!(by_basic.fingerprint(), nothing, "{case} by Basic at {path}");
            let in_the_body = format!(
                "{body}&client_id={}&client_secret={}",
                credentials.client_id, credentials.client_secret
            );
            let in_the_body = prokura.raw_form(path, &[], &in_the_body).await;
            assert_eq!(
                in_the_body.fingerprint(),
                nothing,
                "{case} in the body at {path}"
            );
        }
    }
}

/// A3: and it costs the same, so the time tells nothing either. What is counted here is what time is made of: look-ups. The
/// digest is made before the look-up, so for unknown clients too (`Authority::authenticate_client`), and
/// `SecretDigest::matches` is constant in time.
#[tokio::test]
async fn every_way_not_to_be_a_client_costs_one_read_and_no_write() {
    let prokura = start().await;
    let Strangers {
        living,
        deleted,
        unknown,
    } = Strangers::meet(&prokura).await;
    let count = || {
        (
            prokura.watch.reads.load(Ordering::SeqCst),
            prokura.watch.writes.load(Ordering::SeqCst),
        )
    };
    for (case, credentials) in [
        ("unknown", &unknown),
        ("deleted", &deleted),
        ("wrong secret", &with_secret_of(&living, &deleted)),
        ("another's secret", &with_secret_of(&living, &prokura.root)),
    ] {
        for (path, body) in ENDPOINTS {
            let (reads, writes) = count();
            prokura
                .raw_form(path, &[("authorization", &credentials.basic())], body)
                .await
                .expect_oauth_error(401, "invalid_client");
            assert_eq!(count(), (reads + 1, writes), "{case} at {path}");
        }
    }
    // Success costs no more, and what cannot be a secret of ours costs nothing.
    let (reads, writes) = count();
    prokura.token(&living, &[]).await.expect(200);
    let after = count();
    assert!(after.0 <= reads + 1 && after.1 == writes, "{after:?}");
    prokura
        .token(&mistyped(&living), &[])
        .await
        .expect_oauth_error(401, "invalid_client");
    assert_eq!(count(), after);
}

/// A4: RFC 6749 §2.3: one method of authentication per request, even if both say the same.
#[tokio::test]
async fn two_sets_of_credentials_are_refused() {
    let prokura = start().await;
    let (id, secret) = (&prokura.root.client_id, &prokura.root.client_secret);
    let basic = prokura.root.basic();
    let assertion = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=a.b.c";
    for (authorization, credentials) in [
        (Some(&basic), format!("client_secret={secret}")),
        (
            Some(&basic),
            format!("client_id={id}&client_secret={secret}"),
        ),
        (Some(&basic), "client_secret=other".to_owned()),
        (Some(&basic), assertion.to_owned()),
        (Some(&basic), "client_assertion=a.b.c".to_owned()),
        (
            None,
            format!("client_id={id}&client_secret={secret}&{assertion}"),
        ),
    ] {
        let authorizations = authorization.map(|value| &**value);
        let body = format!("{GRANT}&{credentials}");
        let reply = ask(&prokura, authorizations.as_slice(), &body).await;
        assert_eq!(
            reply.any_oauth_error(),
            (400, "invalid_request".to_owned()),
            "{authorization:?} {credentials}"
        );
    }
}

/// A5: beside Basic, `client_id` identifies; it may say the same and nothing else.
#[tokio::test]
async fn a_client_id_beside_basic_must_be_the_same() {
    let prokura = start().await;
    let other = prokura.bootstrap("Other").await;
    let basic = prokura.root.basic();
    let body = |id: &str| format!("{GRANT}&client_id={id}");
    ask(&prokura, &[&basic], &body(&prokura.root.client_id))
        .await
        .expect(200);
    let upper = prokura.root.client_id.to_uppercase();
    for id in [&*other.client_id, "x", &*upper] {
        ask(&prokura, &[&basic], &body(id))
            .await
            .expect_oauth_error(401, "invalid_client");
    }
}

/// A6: RFC 6749 §4.4: this grant is for confidential clients only. See also
/// `every_way_not_to_be_a_client_is_answered_alike`: no secret, an empty one, and an account that has none.
#[tokio::test]
async fn a_client_id_alone_is_no_client() {
    let prokura = start().await;
    let id = &prokura.root.client_id;
    ask(&prokura, &[], &format!("{GRANT}&client_id={id}"))
        .await
        .expect_oauth_error(401, "invalid_client");
    let secret = &prokura.root.client_secret;
    ask(&prokura, &[], &format!("{GRANT}&client_secret={secret}"))
        .await
        .expect_oauth_error(401, "invalid_client");
    for value in [format!("{id}:"), format!(":{secret}"), ":".to_owned()] {
        ask(&prokura, &[&basic_of(value)], GRANT)
            .await
            .expect_oauth_error(401, "invalid_client");
    }
}

/// A7, A8, A9: RFC 6749 §2.3.1: split at the first colon, then decode each half. Who encodes strictly, down to `_` and
/// `-`, and who does not at all, both come in.
#[tokio::test]
async fn basic_is_split_and_then_form_decoded() {
    let prokura = start().await;
    let (id, secret) = (&*prokura.root.client_id, &*prokura.root.client_secret);
    let encode = |text: &str| text.replace('_', "%5F").replace('-', "%2D");
    let every_byte = |text: &str| {
        text.bytes()
            .map(|byte| format!("%{byte:02x}"))
            .collect::<String>()
    };
    for value in [
        format!("{id}:{secret}"),
        format!("{}:{}", encode(id), encode(secret)),
        format!("{}:{secret}", encode(id)),
        format!("{id}:{}", secret.replace('_', "%5f")),
        format!("{}:{}", every_byte(id), every_byte(secret)),
    ] {
        let reply = ask(&prokura, &[&basic_of(&value)], GRANT).await;
        assert_eq!(reply.status, 200, "{value}: {reply:?}");
    }
    for value in [
        // A broken escape.
        format!("{id}:%zz"),
        format!("{id}:{secret}%"),
        format!("{id}:{secret}%2"),
        format!("%zz:{secret}"),
        // A colon that is part of a half.
        format!("{id}:{secret}:"),
        format!("{id}::{secret}"),
        format!(":{id}:{secret}"),
        format!("{id}%3A:{secret}"),
        // Decoded first, this would be an id and a secret.
        format!("{id}%3A{secret}"),
        // `+` is a space, NUL and what is no UTF-8 are no text.
        format!("{id}:{secret}+"),
        format!("{id}:{secret}%00"),
        format!("{id}:{secret}%ff"),
    ] {
        let reply = ask(&prokura, &[&basic_of(&value)], GRANT).await;
        assert_eq!(
            reply.any_oauth_error(),
            (401, "invalid_client".to_owned()),
            "{value}"
        );
    }
}

/// A10: RFC 9110 §11.1.
#[tokio::test]
async fn the_scheme_is_written_in_any_case() {
    let prokura = start().await;
    let basic = prokura.root.basic();
    let value = basic.strip_prefix("Basic ").unwrap();
    for scheme in ["Basic ", "basic ", "BASIC ", "bAsIc ", "Basic  "] {
        let reply = ask(&prokura, &[&format!("{scheme}{value}")], GRANT).await;
        assert_eq!(reply.status, 200, "{scheme:?}: {reply:?}");
    }
}

/// A11: what is no Basic header of ours is refused like any other stranger, and breaks nothing.
#[tokio::test]
async fn a_malformed_basic_header_is_no_client() {
    let prokura = start().await;
    let (id, secret) = (&*prokura.root.client_id, &*prokura.root.client_secret);
    // Of this length the encoding has padding to leave out.
    let padded = format!("{}:{secret}", id.replacen('_', "%5F", 1));
    assert!(basic_of(&padded).ends_with('='));
    let mut values = [
        "Basic".to_owned(),
        "Basic ".to_owned(),
        format!("Basic{}", BASE64_STANDARD.encode(format!("{id}:{secret}"))),
        format!("Basic:{}", BASE64_STANDARD.encode(format!("{id}:{secret}"))),
        "Basic =".to_owned(),
        "Basic ====".to_owned(),
        "Basic !!!!".to_owned(),
        "Basic a".to_owned(),
        format!("Basic {id}:{secret}"),
        format!("Basic {}", BASE64_STANDARD_NO_PAD.encode(&padded)),
        format!("{}=", basic_of(&padded)),
        format!(
            "Basic {}",
            BASE64_URL_SAFE.encode(b"\xff\xfe\xfb\xef:\xff\xff")
        ),
        basic_of(id),
        basic_of(""),
        basic_of(format!("{id}\n:{secret}")),
        basic_of(format!("{id}:{secret}\n")),
        basic_of(format!("{id}:{secret}\0")),
        basic_of(b"\xff\xfe:\xff\xff"),
        basic_of([id.as_bytes(), b":\xff", secret.as_bytes()].concat()),
        basic_of("x".repeat(8000)),
    ]
    .map(|value| HeaderValue::try_from(value).unwrap())
    .to_vec();
    values.push(HeaderValue::from_bytes(b"Basic \xff\xfe\xa3").unwrap());
    values.push(HeaderValue::from_bytes(b"B\xffsic YTpi").unwrap());
    let one_line = BASE64_STANDARD.encode(format!("{id}:{secret}"));
    let (front, back) = one_line.split_at(64);
    values.push(HeaderValue::try_from(format!("Basic {front} {back}")).unwrap());
    values.push(HeaderValue::try_from(format!("Basic {front}\t{back}")).unwrap());
    for value in values {
        let request = prokura
            .request(Method::POST, TOKEN)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", &value)
            .body(GRANT);
        let reply = prokura.send(request).await;
        assert_eq!(
            reply.any_oauth_error(),
            (401, "invalid_client".to_owned()),
            "{value:?}"
        );
    }
}

/// A12: one set of credentials per request (RFC 6749 §5.2): taking the first of two in silence would let two servers in a
/// row believe different ones.
#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let prokura = start().await;
    let other = prokura.bootstrap("Other").await;
    let (basic, others) = (&*prokura.root.basic(), &*other.basic());
    for pair in [
        [basic, basic],
        [basic, others],
        [basic, "Bearer x"],
        ["Bearer x", basic],
        [basic, ""],
        ["", basic],
    ] {
        let reply = ask(&prokura, &pair, GRANT).await;
        assert_eq!(
            reply.any_oauth_error(),
            (400, "invalid_request".to_owned()),
            "{pair:?}"
        );
    }
}

/// A13: another scheme is no way in, and what is in the body does not rescue it.
#[tokio::test]
async fn another_scheme_is_no_way_in() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let credentials = format!(
        "{GRANT}&client_id={}&client_secret={}",
        prokura.root.client_id, prokura.root.client_secret
    );
    for authorization in [
        "Bearer x",
        &*format!("Bearer {token}"),
        r#"Digest username="a""#,
        "Negotiate YTpi",
        "DPoP x",
        "x",
        "",
    ] {
        let reply = ask(&prokura, &[authorization], GRANT)
            .await
            .expect_oauth_error(401, "invalid_client");
        assert!(
            reply.header("www-authenticate").starts_with("Basic "),
            "{authorization}"
        );
        ask(&prokura, &[authorization], &credentials)
            .await
            .expect_oauth_error(401, "invalid_client");
    }
}

/// A17, A19: printable, of constant length, found by one regular expression and selected by one double-click:
/// `prk_[0-9A-Za-z]{49}`, the last six characters being the CRC-32 of all before. Their randomness (A16) is tested where
/// it comes from, at `authority/ambient.rs`.
#[tokio::test]
async fn a_secret_looks_like_one() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, created) = prokura.create(&token, json!({ "name": "CI" })).await;
    let rotated = prokura.rotate(&token, &created.id).await;
    for credentials in [&prokura.root, &created, &rotated] {
        let body = credentials.client_secret.strip_prefix("prk_").unwrap();
        assert_eq!(body.len(), 49);
        assert!(body.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let (head, checksum) = credentials.client_secret.split_at(47);
        assert_eq!(checksum, base62(crc32(head.as_bytes())));

        let id = credentials.client_id.strip_prefix("sa_").unwrap();
        assert_eq!(id, credentials.id);
        assert_eq!(id.len(), 36);
        let allowed = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
        assert!(id.bytes().all(allowed));
    }
}

/// CRC-32 as in ISO 3309, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

/// Six characters of `0-9A-Za-z`, the most significant first.
fn base62(mut number: u32) -> String {
    let digits = ('0'..='9').chain('A'..='Z').chain('a'..='z');
    let digits = digits.collect::<Vec<_>>();
    let mut text = Vec::new();
    for _ in 0..6 {
        text.insert(0, digits[(number % 62) as usize]);
        number /= 62;
    }
    text.into_iter().collect()
}

/// A18: who could choose his client id could choose another's (RFC 9068 §5).
#[tokio::test]
async fn nobody_chooses_a_client_id_or_a_secret() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let wish = "sa_01930a3e-7b1c-7def-8000-0123456789ab";
    for member in [
        "clientId",
        "client_id",
        "id",
        "sub",
        "clientSecret",
        "client_secret",
        "credentials",
    ] {
        let body = json!({ "name": "CI", member: wish });
        prokura
            .api(Method::POST, "/service-accounts", &token, Some(body))
            .await
            .expect(400);
    }
    // For a rotation neither: whatever the body says, the secret is the server's.
    let body = json!({ "clientSecret": prokura.root.client_secret });
    let path = format!("/service-accounts/{}/rotate-secret", prokura.root.id);
    let reply = prokura.api(Method::POST, &path, &token, Some(body)).await;
    assert!(!reply.mentions(&prokura.root.client_secret), "{reply:?}");
}

/// A21: a secret proves who one is at the token endpoint, a token what one may do at the API; neither stands in for the
/// other.
#[tokio::test]
async fn a_secret_and_a_token_are_not_interchangeable() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let secret = &prokura.root.client_secret;
    prokura
        .api(Method::GET, "/service-accounts", secret, None)
        .await
        .expect(401);
    let basic = prokura.root.basic();
    let request = prokura
        .request(Method::GET, "/api/v1/service-accounts")
        .header("authorization", basic);
    prokura.send(request).await.expect(401);

    let imposter = Credentials {
        client_secret: token,
        ..prokura.root.clone()
    };
    prokura
        .token(&imposter, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
    let seen = prokura.introspect(&prokura.root, secret).await;
    assert_eq!(seen, json!({ "active": false }));
}
