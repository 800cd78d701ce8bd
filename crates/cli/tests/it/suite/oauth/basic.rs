//! The Authorization header of the OAuth endpoints (section A; RFC 7617).

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE},
};
use reqwest::{Method, header::HeaderValue};

use super::{GRANT, TOKEN, ask, basic_of, start, start_with_token};

/// A7, A8, A9. RFC 6749 §2.3.1: the server splits the value at the first colon and then decodes each half. Clients that
/// encode every character, even `_` and `-`, authenticate, and so do clients that encode nothing.
#[tokio::test]
async fn basic_credentials_are_split_at_the_first_colon_and_then_form_decoded() {
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
        // If the server decoded before it split, this would be an ID and a secret.
        format!("{id}%3A{secret}"),
        // `+` decodes to a space. NUL and invalid UTF-8 are refused.
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

/// A10. RFC 9110 §11.1: the scheme is case-insensitive.
#[tokio::test]
async fn the_basic_scheme_is_case_insensitive() {
    let prokura = start().await;
    let basic = prokura.root.basic();
    let value = basic.strip_prefix("Basic ").unwrap();
    for scheme in ["Basic ", "basic ", "BASIC ", "bAsIc ", "Basic  "] {
        let reply = ask(&prokura, &[&format!("{scheme}{value}")], GRANT).await;
        assert_eq!(reply.status, 200, "{scheme:?}: {reply:?}");
    }
}

/// A11. A malformed Basic header is refused like a wrong secret, and never causes a 500.
#[tokio::test]
async fn a_malformed_basic_header_does_not_authenticate() {
    let prokura = start().await;
    let (id, secret) = (&*prokura.root.client_id, &*prokura.root.client_secret);
    // At this length the base64 text ends with padding.
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

/// A12. RFC 6749 §5.2: a request has one set of credentials. If the server took the first of two headers, a proxy in
/// front of it might have checked the other one.
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

/// A13. Other schemes do not authenticate, even when the body has good credentials.
#[tokio::test]
async fn another_authorization_scheme_does_not_authenticate() {
    let (prokura, token) = start_with_token().await;
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
