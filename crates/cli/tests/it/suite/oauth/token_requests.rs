//! The token endpoint, request side (section T).

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use bytes::Bytes;
use reqwest::Method;
use serde_json::Value;

use super::{start, start_with};
use crate::harness::{Options, Prokura, Reply, opaque_resource};

const TOKEN: &str = "/oauth2/token";
const GRANT: &str = "grant_type=client_credentials";
/// Every parameter that means something to the token endpoint.
const KNOWN: [&str; 8] = [
    "grant_type",
    "scope",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "resource",
    "audience",
];
const PATIENCE: Duration = Duration::from_secs(10);

/// A body as it is, as root by Basic.
async fn as_root(prokura: &Prokura, body: &str) -> Reply {
    let basic = prokura.root.basic();
    prokura
        .raw_form(TOKEN, &[("authorization", &basic)], body)
        .await
}

/// Bytes under a content type, or none, as root by Basic.
async fn typed(prokura: &Prokura, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Reply {
    let mut request = prokura
        .request(Method::POST, TOKEN)
        .header("authorization", prokura.root.basic())
        .body(body.into());
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    prokura.send(request).await
}

/// The head of a request as root by Basic, without the empty line at its end.
fn head(prokura: &Prokura, path: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n",
        prokura.root.basic()
    )
}

/// T1, T2: RFC 6749 demands Basic, OAuth 2.1 the body; both work.
#[tokio::test]
async fn a_client_authenticates_by_basic_or_in_the_body() {
    let prokura = start().await;
    let by_basic = as_root(&prokura, GRANT).await;
    let credentials = format!(
        "{GRANT}&client_id={}&client_secret={}",
        prokura.root.client_id, prokura.root.client_secret
    );
    let in_the_body = prokura.raw_form(TOKEN, &[], &credentials).await;
    for reply in [by_basic, in_the_body] {
        let token = reply.expect(200).json();
        assert_eq!(token["token_type"], "Bearer");
        let token = token["access_token"].as_str().unwrap();
        prokura
            .api(Method::GET, "/service-accounts", token, None)
            .await
            .expect(200);
    }
}

/// T3: what is in the query was logged by every proxy on the way, so it counts for nothing.
#[tokio::test]
async fn the_query_counts_for_nothing() {
    let prokura = start().await;
    let (id, secret) = (&prokura.root.client_id, &prokura.root.client_secret);
    let credentials = format!("client_id={id}&client_secret={secret}");
    prokura
        .raw_form(&format!("{TOKEN}?{credentials}"), &[], GRANT)
        .await
        .expect_oauth_error(401, "invalid_client");
    prokura
        .raw_form(&format!("{TOKEN}?{GRANT}&{credentials}"), &[], "")
        .await
        .expect_oauth_error(400, "invalid_request");
    // Half here and half there is not one set either.
    prokura
        .raw_form(
            &format!("{TOKEN}?client_secret={secret}"),
            &[],
            &format!("{GRANT}&client_id={id}"),
        )
        .await
        .expect_oauth_error(401, "invalid_client");

    let basic = prokura.root.basic();
    let basic = [("authorization", &*basic)];
    prokura
        .raw_form(&format!("{TOKEN}?{GRANT}"), &basic, "")
        .await
        .expect_oauth_error(400, "invalid_request");
    let narrowed = format!("{TOKEN}?scope=management:service-accounts:read");
    let reply = prokura.raw_form(&narrowed, &basic, GRANT).await.expect(200);
    assert_eq!(reply.json()["scope"], "management:all");
}

/// T4, E5: clients use POST (RFC 6749 §3.2), here and at the sister endpoints.
#[tokio::test]
async fn only_post_is_taken() {
    let prokura = start().await;
    for path in [TOKEN, "/oauth2/introspect", "/oauth2/revoke"] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE"] {
            let request = prokura
                .request(method.parse().unwrap(), path)
                .header("authorization", prokura.root.basic())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(if method == "TRACE" { "" } else { GRANT });
            let reply = prokura.send(request).await.expect(405);
            assert!(
                reply.header("allow").contains("POST"),
                "{method} {path}: {reply:?}"
            );
            if method != "HEAD" {
                reply.expect_oauth_error(405, "method_not_allowed");
            }
        }
    }
}

/// T5: RFC 6749 §3.2: a parameter sent without a value is treated as if it had been omitted.
#[tokio::test]
async fn a_parameter_without_a_value_is_omitted() {
    let prokura = start().await;
    for empty in KNOWN.iter().filter(|name| **name != "grant_type") {
        for spelling in [format!("{empty}="), (*empty).to_owned()] {
            let reply = as_root(&prokura, &format!("{GRANT}&{spelling}")).await;
            assert_eq!(reply.status, 200, "{spelling}: {reply:?}");
            assert_eq!(reply.json()["scope"], "management:all", "{spelling}");
        }
    }
    for body in ["grant_type=", "grant_type", "grant_type=&scope="] {
        as_root(&prokura, body)
            .await
            .expect_oauth_error(400, "invalid_request");
    }
    let without_secret = format!(
        "{GRANT}&client_id={}&client_secret=",
        prokura.root.client_id
    );
    prokura
        .raw_form(TOKEN, &[], &without_secret)
        .await
        .expect_oauth_error(401, "invalid_client");
}

/// T6: what is not known is ignored, whatever it says; `audience` is known.
#[tokio::test]
async fn an_unknown_parameter_is_ignored() {
    let prokura = start().await;
    for unknown in [
        "foo=bar",
        "state=",
        "nonce",
        "foo=1&foo=2",
        "Scope=x",
        "x=%00",
        "x=%ff",
        "%ff=x",
        "=",
        "=x",
        "&&",
    ] {
        let reply = as_root(&prokura, &format!("{unknown}&{GRANT}&{unknown}")).await;
        assert_eq!(reply.status, 200, "{unknown}: {reply:?}");
    }
    let management = format!("{}/api/v1", prokura.issuer);
    prokura
        .token(&prokura.root, &[("audience", &management)])
        .await
        .expect(200);
    prokura
        .token(&prokura.root, &[("audience", "https://nowhere.example")])
        .await
        .expect_oauth_error(400, "invalid_target");
}

/// T7: RFC 6749 §3.2: a parameter must not be included more than once.
#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let prokura = start().await;
    let (id, secret) = (
        prokura.root.client_id.clone(),
        prokura.root.client_secret.clone(),
    );
    let in_the_body = format!("{GRANT}&client_id={id}&client_secret={secret}");
    for (name, value, rest, basic) in [
        ("grant_type", "client_credentials", "", true),
        ("scope", "management:all", GRANT, true),
        ("client_id", &*id, GRANT, true),
        (
            "client_id",
            &*id,
            &*format!("{GRANT}&client_secret={secret}"),
            false,
        ),
        (
            "client_secret",
            &*secret,
            &*format!("{GRANT}&client_id={id}"),
            false,
        ),
        ("client_assertion", "x", GRANT, false),
        ("client_assertion_type", "x", GRANT, false),
        ("scope", "management:all", &*in_the_body, false),
    ] {
        let basic_header = prokura.root.basic();
        let headers: &[_] = if basic {
            &[("authorization", &*basic_header)]
        } else {
            &[]
        };
        let once = format!("{rest}&{name}={value}");
        let reply = prokura.raw_form(TOKEN, headers, &once).await;
        assert!(!reply.mentions("invalid_request"), "{once}: {reply:?}");
        for second in [value, "other"] {
            let twice = format!("{once}&{name}={second}");
            let reply = prokura.raw_form(TOKEN, headers, &twice).await;
            assert_eq!(
                reply.any_oauth_error(),
                (400, "invalid_request".to_owned()),
                "{twice}"
            );
        }
    }
}

/// T8: RFC 8707 §2: `resource` may repeat; here all its values must name one resource.
#[tokio::test]
async fn resource_and_audience_may_repeat() {
    let options = Options {
        resources: vec![opaque_resource("https://orders.example", "orders:read")],
        aliases: vec!["https://api.example/api/v1".to_owned()],
        ..Options::default()
    };
    let prokura = start_with(options).await;
    let management = format!("{}/api/v1", prokura.issuer);
    let alias = "https://api.example/api/v1";
    for pair in [
        [("resource", &*management), ("resource", &*management)],
        [("resource", &*management), ("resource", alias)],
        [("audience", &*management), ("audience", alias)],
        [("resource", &*management), ("audience", alias)],
    ] {
        let reply = prokura.token(&prokura.root, &pair).await;
        assert_eq!(reply.status, 200, "{pair:?}: {reply:?}");
    }
    for name in ["resource", "audience"] {
        let pair = [("resource", &*management), (name, "https://orders.example")];
        prokura
            .token(&prokura.root, &pair)
            .await
            .expect_oauth_error(400, "invalid_target");
    }
}

/// T9, T10: there is one grant, and it has one spelling. The grants that OAuth has left behind (RFC 9700 §2.4) are as
/// unknown as any other.
///
/// T11 (`unauthorized_client`) cannot come up: every account may use the one grant there is, so `IssueTokenError` has no
/// such arm.
#[tokio::test]
async fn the_grant_type_is_client_credentials_to_the_letter() {
    let prokura = start().await;
    for body in ["", "scope=management:all", "Grant_Type=client_credentials"] {
        as_root(&prokura, body)
            .await
            .expect_oauth_error(400, "invalid_request");
    }
    for grant in [
        "nonsense",
        "Client_Credentials",
        "+client_credentials",
        "client_credentials+",
        "client_credentials%0A",
        "client%5Fcredentials%20",
        "client_credentials,client_credentials",
        "password&username=a&password=b",
        "implicit",
        "token",
        "authorization_code&code=x",
        "refresh_token&refresh_token=x",
        "urn:ietf:params:oauth:grant-type:device_code&device_code=x",
    ] {
        let reply = as_root(&prokura, &format!("grant_type={grant}")).await;
        assert_eq!(
            reply.any_oauth_error(),
            (400, "unsupported_grant_type".to_owned()),
            "{grant}"
        );
    }
    // A NUL makes it no text at all.
    as_root(&prokura, "grant_type=client_credentials%00")
        .await
        .expect_oauth_error(400, "invalid_request");
}

/// T12, T13: one media type, in any case and with any parameter.
#[tokio::test]
async fn the_body_is_a_form_and_says_so() {
    let prokura = start().await;
    for content_type in [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded;charset=UTF-8",
        "application/x-www-form-urlencoded; charset=utf-8",
        "application/x-www-form-urlencoded ; charset=utf-8",
        "Application/X-WWW-Form-URLEncoded",
        "APPLICATION/X-WWW-FORM-URLENCODED; CHARSET=UTF-8",
    ] {
        let reply = typed(&prokura, Some(content_type), GRANT).await;
        assert_eq!(reply.status, 200, "{content_type}: {reply:?}");
    }
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--b--\r\n";
    for (content_type, body) in [
        (
            Some("application/json"),
            r#"{"grant_type":"client_credentials"}"#,
        ),
        (Some("application/json"), GRANT),
        (Some("multipart/form-data; boundary=b"), multipart),
        (Some("text/plain"), GRANT),
        (Some("application/x-www-form-urlencoded-not"), GRANT),
        (Some("x-application/x-www-form-urlencoded"), GRANT),
        (Some(""), GRANT),
        (None, GRANT),
        (None, ""),
    ] {
        let reply = typed(&prokura, content_type, body).await;
        assert_eq!(
            reply.any_oauth_error(),
            (400, "invalid_request".to_owned()),
            "{content_type:?} {body}"
        );
    }
}

/// T14, T15: RFC 6749 Appendix B and its example; another `charset` changes nothing. The vectors of the decoder alone are
/// at `http/form.rs`.
#[tokio::test]
async fn values_are_utf_8_whatever_the_charset_says() {
    let example = " %&+£€";
    let options = Options {
        aliases: vec![example.to_owned()],
        ..Options::default()
    };
    let prokura = start_with(options).await;
    let form = "application/x-www-form-urlencoded";
    for content_type in [form.to_owned(), format!("{form}; charset=iso-8859-1")] {
        for spelling in [
            "+%25%26%2B%C2%A3%E2%82%AC",
            "%20%25%26%2b%c2%a3%e2%82%ac",
            "+%25%26%2B£€",
        ] {
            let body = format!("{GRANT}&resource={spelling}");
            let reply = typed(&prokura, Some(&content_type), body).await;
            assert_eq!(reply.status, 200, "{content_type} {spelling}: {reply:?}");
            let token = reply.json()["access_token"].as_str().unwrap().to_owned();
            let seen = prokura.introspect(&prokura.root, &token).await;
            assert_eq!(seen["aud"], example);
        }
    }
    for name in KNOWN {
        let rest = if name == "grant_type" { "" } else { GRANT };
        for bad in [
            &b"%FF"[..],
            b"a%C2",
            b"%ED%A0%80",
            b"%C0%AF",
            b"\xff",
            b"\xa3",
        ] {
            let body = [rest.as_bytes(), b"&", name.as_bytes(), b"=", bad].concat();
            let reply = typed(&prokura, Some(form), body).await;
            assert_eq!(
                reply.any_oauth_error(),
                (400, "invalid_request".to_owned()),
                "{name}={bad:?}"
            );
        }
    }
}

/// T16: nothing is guessed.
#[tokio::test]
async fn a_broken_escape_or_a_nul_is_refused() {
    let prokura = start().await;
    for name in KNOWN {
        let rest = if name == "grant_type" { "" } else { GRANT };
        for bad in ["%", "%2", "%zz", "%u0041", "a%", "%+1", "%00", "a%00b"] {
            let reply = as_root(&prokura, &format!("{name}={bad}&{rest}")).await;
            assert_eq!(
                reply.any_oauth_error(),
                (400, "invalid_request".to_owned()),
                "{name}={bad}"
            );
        }
    }
    for body in ["%zz=1", "foo=%", "%"] {
        as_root(&prokura, &format!("{GRANT}&{body}"))
            .await
            .expect_oauth_error(400, "invalid_request");
    }
}

/// T17, T18: curl and librdkafka send a raw colon, others `%20` for a space; and `;` separates nothing.
#[tokio::test]
async fn scopes_come_raw_or_encoded_and_only_the_ampersand_separates() {
    let prokura = start().await;
    let (one, two) = (
        "management:service-accounts:read",
        "management:service-accounts:write",
    );
    for (scope, granted) in [
        ("management:all", "management:all".to_owned()),
        ("management%3Aall", "management:all".to_owned()),
        ("management%3aall", "management:all".to_owned()),
        (&*format!("{one}%20{two}"), format!("{one} {two}")),
        (&*format!("{one}+{two}"), format!("{one} {two}")),
        (&*format!("{one} {two}"), format!("{one} {two}")),
    ] {
        let reply = as_root(&prokura, &format!("{GRANT}&scope={scope}")).await;
        assert_eq!(reply.status, 200, "{scope}: {reply:?}");
        assert_eq!(reply.json()["scope"], granted, "{scope}");
    }
    as_root(&prokura, &format!("{GRANT};scope=management:all"))
        .await
        .expect_oauth_error(400, "unsupported_grant_type");
    as_root(&prokura, &format!("{GRANT}&foo=1;scope=nonsense"))
        .await
        .expect(200);
}

/// T19: a form has at most 16 KiB, however they are cut up.
#[tokio::test]
async fn a_large_body_is_refused_quickly() {
    let prokura = start().await;
    let form = |bytes: usize| {
        let start = format!("{GRANT}&filler=");
        format!("{start}{}", "x".repeat(bytes - start.len()))
    };
    as_root(&prokura, &form(16 * 1024)).await.expect(200);
    for body in [
        form(16 * 1024 + 1),
        format!("{GRANT}&{}", "a=b&".repeat(10_000)),
        format!("{GRANT}&{}", "resource=a&".repeat(10_000)),
        form(1024 * 1024),
    ] {
        let began = Instant::now();
        let reply = as_root(&prokura, &body)
            .await
            .expect_oauth_error(413, "request_too_large");
        assert!(began.elapsed() < Duration::from_secs(5));
        // The small ones were read to their end, so their connection is still good.
        if body.len() > 512 * 1024 {
            assert_eq!(reply.header("connection"), "close");
        }
    }
    // As many parameters as fit are still just parameters.
    as_root(&prokura, &format!("{GRANT}&{}", "a&".repeat(8_000)))
        .await
        .expect(200);
}

/// T20: Prometheus sends no Accept, librdkafka no User-Agent; and the answer is JSON whatever was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_header_is_needed_but_those_that_say_something() {
    let prokura = start().await;
    for headers in [
        "",
        "Accept: */*\r\n",
        "Accept: text/html\r\n",
        "Accept: application/xml;q=1, */*;q=0\r\n",
        "User-Agent: curl/8\r\nAccept: application/json\r\n",
    ] {
        let request = format!(
            "{}Content-Length: {}\r\n{headers}\r\n{GRANT}",
            head(&prokura, TOKEN),
            GRANT.len()
        );
        let answer = prokura.raw(request.as_bytes(), PATIENCE);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{headers}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["token_type"], "Bearer");
    }
}

/// T21: RFC 9112 §7.1, RFC 9110 §10.1.1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_may_come_in_chunks_or_after_asking() {
    let prokura = start().await;
    let chunks = [
        "grant_type=client",
        "_credentials&scope=management%3",
        "Aall",
    ];
    let chunks = chunks.map(|chunk| Ok::<_, std::io::Error>(Bytes::from_static(chunk.as_bytes())));
    let request = prokura
        .request(Method::POST, TOKEN)
        .header("authorization", prokura.root.basic())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(reqwest::Body::wrap_stream(futures_util::stream::iter(
            chunks,
        )));
    let reply = prokura.send(request).await.expect(200);
    assert_eq!(reply.json()["scope"], "management:all");

    let mut stream = TcpStream::connect(prokura.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "{}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        head(&prokura, TOKEN),
        GRANT.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut go_ahead = [0; 25];
    stream.read_exact(&mut go_ahead).unwrap();
    assert_eq!(&go_ahead, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(GRANT.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// T22: RFC 6749 §3.2: the endpoint's URL has no fragment, and a query does not harm it.
#[tokio::test]
async fn a_query_component_does_no_harm() {
    let prokura = start().await;
    let metadata = prokura
        .get("/.well-known/oauth-authorization-server")
        .await
        .expect(200)
        .json();
    let endpoint = metadata["token_endpoint"].as_str().unwrap();
    assert_eq!(endpoint, format!("{}{TOKEN}", prokura.url));
    let basic = prokura.root.basic();
    for query in ["?x=1", "?", "?%zz", "?a=1&a=1"] {
        prokura
            .raw_form(
                &format!("{TOKEN}{query}"),
                &[("authorization", &basic)],
                GRANT,
            )
            .await
            .expect(200);
    }
}

/// T23: a path has one spelling. A redirect would send the secret again, to wherever it points.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_spelling_of_the_path_is_another_path() {
    let prokura = start().await;
    let reads = prokura.watch.reads.load(Ordering::SeqCst);
    for path in [
        "/oauth2/token/",
        "//oauth2/token",
        "/oauth2//token",
        "/oauth2/./token",
        "/oauth2/x/../token",
        "/OAUTH2/TOKEN",
        "/oauth2/Token",
        "/oauth2/token%2f",
        "/oauth2%2ftoken",
        "/oauth2/%74oken",
        "/oauth2/token;a=b",
        "/oauth2/token%00",
        "/oauth2/token.json",
    ] {
        let request = format!(
            "{}Content-Length: {}\r\n\r\n{GRANT}",
            head(&prokura, path),
            GRANT.len()
        );
        let answer = prokura.raw(request.as_bytes(), PATIENCE);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(
            !answer.to_ascii_lowercase().contains("\r\nlocation:"),
            "{path}"
        );
        assert!(!answer.contains("access_token"), "{path}");
    }
    assert_eq!(prokura.watch.reads.load(Ordering::SeqCst), reads);
}
