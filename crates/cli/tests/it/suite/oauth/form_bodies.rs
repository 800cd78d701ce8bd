//! The body of a token request: media type, encoding and size (section T).

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use bytes::Bytes;
use reqwest::Method;

use super::{GRANT, KNOWN, PATIENCE, TOKEN, as_root, head, start, start_with, typed};
use crate::harness::Options;

/// T12, T13. One media type is accepted, in upper or lower case and with any parameter.
#[tokio::test]
async fn the_content_type_must_be_form_urlencoded() {
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

/// T14, T15. RFC 6749 Appendix B and its example. A `charset` parameter changes nothing. The test vectors of the
/// decoder are in `http/form.rs`.
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

/// T16. The decoder does not guess.
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

/// T17, T18. curl and librdkafka send a raw colon, other clients send `%20` for a space. `;` does not separate
/// parameters.
#[tokio::test]
async fn scopes_may_be_raw_or_encoded_and_only_ampersands_separate_parameters() {
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

/// T19. A form has at most 16 KiB, however many parameters it has.
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
        // The server read these bodies to their end, so the connection stays open.
        if body.len() > 512 * 1024 {
            assert_eq!(reply.header("connection"), "close");
        }
    }
    // The number of parameters has no limit of its own.
    as_root(&prokura, &format!("{GRANT}&{}", "a&".repeat(8_000)))
        .await
        .expect(200);
}

/// T21. RFC 9112 §7.1, RFC 9110 §10.1.1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunked_bodies_and_expect_100_continue_work() {
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
