//! The HTTP layer (section H), and what paths are (G18).

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};

use super::start;
use crate::harness::{Answer, Prokura};

fn host(prokura: &Prokura) -> &str {
    prokura.url.trim_start_matches("http://")
}

/// H1: where two readers of one message could see two different ones, there is one answer at most, and an end to the
/// connection: in none of these does the request hidden in the other get one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_cannot_be_smuggled_in_another() {
    let prokura = start().await;
    let host = host(&prokura);
    let hidden = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let form = "grant_type=x";
    let chunked = format!("{:x}\r\n{form}\r\n0\r\n\r\n", form.len());
    let length = format!("Content-Length: {}\r\n", form.len());
    let more = format!("Content-Length: {}\r\n", form.len() + hidden.len());
    let transfer = "Transfer-Encoding: chunked\r\n";
    for (name, headers, body) in [
        (
            "length, then chunks",
            format!("{length}{transfer}"),
            &chunked,
        ),
        (
            "chunks, then length",
            format!("{transfer}{length}"),
            &chunked,
        ),
        (
            "chunks and no length",
            format!("{transfer}Content-Length: 0\r\n"),
            &chunked,
        ),
        ("two lengths", format!("{length}{more}"), &form.to_owned()),
        (
            "two lengths, the longer first",
            format!("{more}{length}"),
            &form.to_owned(),
        ),
        (
            "a length with a sign",
            "Content-Length: +12\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "a negative length",
            "Content-Length: -12\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "a list of lengths",
            "Content-Length: 12, 12\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "a hexadecimal length",
            "Content-Length: 0xc\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "a length with a space in it",
            "Content-Length: 1 2\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "an endless length",
            "Content-Length: 99999999999999999999\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "chunked but not last",
            "Transfer-Encoding: chunked, identity\r\n".to_owned(),
            &chunked,
        ),
        (
            "no coding",
            "Transfer-Encoding: identity\r\n".to_owned(),
            &chunked,
        ),
        (
            "an unknown coding",
            "Transfer-Encoding: xchunked\r\n".to_owned(),
            &chunked,
        ),
        (
            "a space before the colon",
            "Transfer-Encoding : chunked\r\n".to_owned(),
            &chunked,
        ),
        (
            "a space before the name",
            " Transfer-Encoding: chunked\r\n".to_owned(),
            &chunked,
        ),
        (
            "a folded line",
            "Transfer-Encoding:\r\n chunked\r\n".to_owned(),
            &chunked,
        ),
        (
            "a NUL in a value",
            format!("X-A: a\0b\r\n{length}"),
            &form.to_owned(),
        ),
        (
            "a NUL in a name",
            format!("X-\0A: b\r\n{length}"),
            &form.to_owned(),
        ),
        (
            "a return in a value",
            format!("X-A: a\rb\r\n{length}"),
            &form.to_owned(),
        ),
        (
            "a line without a colon",
            format!("X-A\r\n{length}"),
            &form.to_owned(),
        ),
        (
            "a nameless header",
            format!(": a\r\n{length}"),
            &form.to_owned(),
        ),
        (
            "an endless chunk",
            transfer.to_owned(),
            &"ffffffffffffffffff\r\nx\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a chunk with a sign",
            transfer.to_owned(),
            &"+c\r\ngrant_type=x\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a chunk that is longer than it says",
            transfer.to_owned(),
            &"3\r\ngrant_type=x\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a chunk of nothing",
            transfer.to_owned(),
            &"\r\n\r\n".to_owned(),
        ),
        ("an old version with chunks", String::new(), &chunked),
    ] {
        let version = if name.starts_with("an old") {
            "1.0"
        } else {
            "1.1"
        };
        let headers = if version == "1.0" {
            transfer.to_owned()
        } else {
            headers
        };
        let message = format!(
            "POST /oauth2/token HTTP/{version}\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             {headers}\r\n{body}{hidden}"
        );
        let answer = prokura.wire(message).await;
        let statuses = answer.statuses();
        assert!(statuses.len() <= 1, "{name}: {answer:?}");
        assert!(!answer.0.contains("alive"), "{name}: {answer:?}");
        assert!(
            statuses.iter().all(|status| (400..500).contains(status)),
            "{name}: {answer:?}"
        );
    }
    // Nobody else is the worse for it.
    prokura.get("/healthz").await.expect(200);
}

/// H1: what is unusual and harmless is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_one_after_the_other_are_answered_one_by_one() {
    let prokura = start().await;
    let host = host(&prokura);
    let first = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let last = format!("GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = prokura.wire(format!("{first}{first}{last}{first}")).await;
    assert_eq!(answer.statuses(), [200, 200, 200]);
    // Chunks with extensions and trailers, and a length given twice alike.
    let form = "grant_type=x";
    let request = |headers: &str, body: &str| {
        format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n{headers}\r\n{body}"
        )
    };
    let chunked = "6;a=b\r\ngrant_\r\n6\r\ntype=x\r\n0\r\nX-Trailer: a\r\n\r\n";
    let length = format!("Content-Length: {}\r\n", form.len());
    for request in [
        request("Transfer-Encoding: chunked\r\n", chunked),
        request(&length, form),
    ] {
        let answer = prokura.wire(request).await;
        assert_eq!(answer.status(), 401, "{answer:?}");
    }
}

/// H1: what is no HTTP/1 at all is answered once, with a refusal, or not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_http_is_refused() {
    let prokura = start().await;
    let tls = [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        &[0; 64],
    ]
    .concat();
    for bytes in [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/11\r\nHost: a\r\n\r\n",
        b"GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /heal thz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"G\0T /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /heal\0thz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"\xff\xff\xff\xff\r\n\r\n",
        &tls,
    ] {
        let answer = prokura.wire(bytes).await;
        let statuses = answer.statuses();
        assert!(statuses.len() <= 1, "{bytes:?} {answer:?}");
        assert!(
            statuses.iter().all(|status| (400..500).contains(status)),
            "{bytes:?} {answer:?}"
        );
    }
    prokura.get("/healthz").await.expect(200);
}

/// H2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_exactly_one_well_formed_host() {
    let prokura = start().await;
    let host = host(&prokura);
    for headers in [
        String::new(),
        format!("Host: {host}\r\nHost: {host}\r\n"),
        format!("Host: {host}\r\nHost: evil.example\r\n"),
        "Host:\r\n".to_owned(),
        "Host: a b\r\n".to_owned(),
        "Host: user@evil.example\r\n".to_owned(),
        "Host: evil.example/path\r\n".to_owned(),
        "Host: http://evil.example\r\n".to_owned(),
        "Host: evil.example, other.example\r\n".to_owned(),
        "Host: [::1\r\n".to_owned(),
        "Host: :80\r\n".to_owned(),
    ] {
        for path in ["/healthz", "/api/v1/service-accounts", "/oauth2/token"] {
            let message = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
            let answer = prokura.wire(message).await;
            assert_eq!(answer.status(), 400, "{headers:?} {answer:?}");
            assert!(!answer.header("x-request-id").is_empty());
        }
    }
}

/// H2: another host, in whatever form, changes nothing: what the server says of itself is its configuration.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_host_changes_nothing() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let body = r#"{"name":"CI"}"#;
    let path = "/api/v1/service-accounts";
    for (target, host) in [
        (path.to_owned(), "evil.example"),
        (path.to_owned(), "evil.example:8080"),
        (format!("http://evil.example{path}"), "evil.example"),
        (format!("http://evil.example{path}"), host(&prokura)),
        (format!("https://{}{path}", host(&prokura)), "evil.example"),
    ] {
        let message = format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = prokura.wire(message).await;
        assert_eq!(answer.status(), 201, "{target} {answer:?}");
        let ours = format!("{}{path}/", prokura.issuer);
        assert!(answer.header("location").starts_with(&ours));
        assert!(!answer.0.contains("evil.example"));
    }
    let request = prokura
        .request(Method::GET, "/.well-known/oauth-authorization-server")
        .header("host", "evil.example");
    let metadata = prokura.send(request).await.expect(200).json();
    assert_eq!(metadata["issuer"], prokura.issuer);
    // A proxy is what this is not.
    for request in [
        "CONNECT evil.example:443",
        "OPTIONS *",
        "GET evil.example",
        "GET ftp://evil.example/",
    ] {
        let answer = prokura.wire_request(request, &[]).await;
        let status = answer.status();
        assert!((400..500).contains(&status), "{request} {answer:?}");
    }
}

/// H4: a head that is too large is refused, and the connection with it; one that is merely large is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_is_too_large_is_refused() {
    let prokura = start().await;
    let list = "GET /api/v1/service-accounts";
    let one = format!("X-Large: {}", "x".repeat(200_000));
    assert_eq!(prokura.wire_request(list, &[&one]).await.status(), 431);
    let many = vec!["X-Many: x"; 200];
    assert_eq!(prokura.wire_request(list, &many).await.status(), 431);
    let name = format!("{}: x", "x".repeat(70_000));
    let answer = prokura.wire_request(list, &[&name]).await;
    assert!(matches!(answer.status(), 400 | 431), "{answer:?}");
    let some = vec!["X-Some: x"; 90];
    assert_eq!(prokura.wire_request(list, &some).await.status(), 401);

    for length in [1024, 16 * 1024, 60 * 1024] {
        let value = "a".repeat(length);
        for (scheme, status) in [("Bearer", 401), ("Basic", 401), ("Bearer \"", 400)] {
            let authorization = format!("Authorization: {scheme} {value}");
            let answer = prokura.wire_request(list, &[&authorization]).await;
            assert_eq!(answer.status(), status, "{scheme} {length}");
        }
        let authorization = format!("Basic {value}");
        let headers = [("authorization", &*authorization)];
        prokura
            .raw_form("/oauth2/token", &headers, "grant_type=client_credentials")
            .await
            .expect_oauth_error(401, "invalid_client");
    }
    prokura.get("/healthz").await.expect(200);
}

/// H4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_uri_that_is_too_long_is_refused() {
    let prokura = start().await;
    for (start, is_oauth) in [
        ("/api/v1/service-accounts?", false),
        ("/healthz?", false),
        ("/", false),
        ("/oauth2/token?", true),
        ("/oauth2/", true),
    ] {
        for length in [8 * 1024 + 1, 60_000] {
            let target = format!("{start}{}", "x".repeat(length - start.len()));
            let answer = prokura.wire_request(&format!("GET {target}"), &[]).await;
            assert_eq!(answer.status(), 414, "{start} {length}");
            let body = serde_json::from_str::<Value>(answer.body()).unwrap();
            let code = if is_oauth {
                &body["error"]
            } else {
                &body["code"]
            };
            assert_eq!(code, "uri_too_long");
        }
        // Longer than any head may be.
        let target = format!("{start}{}", "x".repeat(200_000));
        let answer = prokura.wire_request(&format!("GET {target}"), &[]).await;
        assert!(matches!(answer.status(), 414 | 431), "{answer:?}");
    }
    let target = format!("/healthz?{}", "x".repeat(8 * 1024 - "/healthz?".len()));
    let answer = prokura.wire_request(&format!("GET {target}"), &[]).await;
    assert_eq!(answer.status(), 200);
}

fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&read).contains(end) {
        if stream.read(&mut byte).unwrap() == 0 {
            break;
        }
        read.push(byte[0]);
    }
    String::from_utf8(read).unwrap()
}

/// H8: who was let in is served; nobody else is let in. Of a creation the account is stored before its secret is sent
/// (one transaction in `store/service_accounts.rs`, committed before the answer is made), so there is no secret without
/// an account; an answer lost on the way is a secret never seen, and rotating gives another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_flight_is_finished_before_the_server_stops() {
    let mut prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let address = host(&prokura).to_owned();
    let connect = || {
        let stream = TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        std::io::Result::Ok(stream)
    };
    // One that idles, one that has sent half a body, of which the server has said that it waits for it.
    let mut idle = connect().unwrap();
    let ask = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    idle.write_all(ask.as_bytes()).unwrap();
    read_until(&mut idle, "alive\"}");
    let mut busy = connect().unwrap();
    let body = r#"{"name":"In flight"}"#;
    let head = format!(
        "POST /api/v1/service-accounts HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    busy.write_all(head.as_bytes()).unwrap();
    let waiting = read_until(&mut busy, "\r\n\r\n");
    assert!(waiting.starts_with("HTTP/1.1 100"), "{waiting}");
    let (first, rest) = body.split_at(7);
    busy.write_all(first.as_bytes()).unwrap();

    let client = prokura.client.clone();
    let url = client.url.clone();
    let stopping = tokio::spawn(async move {
        prokura.stop().await;
        prokura
    });
    // It has heard the signal when it lets nobody in any more.
    while TcpStream::connect(url.trim_start_matches("http://")).is_ok() {
        tokio::task::yield_now().await;
    }
    let mut end = Vec::new();
    idle.read_to_end(&mut end).unwrap();
    assert!(
        end.is_empty(),
        "an idle connection is closed without a word"
    );
    assert!(!stopping.is_finished(), "it waits for the one in flight");

    busy.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).unwrap();
    let answer = Answer(answer);
    assert_eq!(answer.status(), 201);
    let created = serde_json::from_str::<Value>(answer.body()).unwrap();
    let id = created["serviceAccount"]["id"].as_str().unwrap();

    let prokura = stopping.await.unwrap().restart(Default::default()).await;
    let path = format!("/service-accounts/{id}");
    let got = prokura.api(Method::GET, &path, &token, None).await;
    assert_eq!(
        got.expect(200).json(),
        json!({ "serviceAccount": created["serviceAccount"] })
    );
}

/// H9: every answer has an id by which it is found in the log; one from outside is taken if it can do no harm there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_a_request_id() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let mut seen = Vec::new();
    for (method, path) in [
        (Method::GET, "/api/v1/service-accounts"),
        (Method::GET, "/api/v1/service-accounts/no-id"),
        (Method::POST, "/oauth2/token"),
        (Method::GET, "/oauth2/token"),
        (Method::GET, "/.well-known/oauth-authorization-server"),
        (Method::GET, "/.well-known/jwks.json"),
        (Method::GET, "/openapi.json"),
        (Method::GET, "/healthz"),
        (Method::GET, "/readyz"),
        (Method::GET, "/nothing"),
        (Method::OPTIONS, "/healthz"),
        (Method::TRACE, "/"),
    ] {
        let request = prokura.request(method, path).bearer_auth(&token);
        let reply = prokura.send(request).await;
        let id = reply.header("x-request-id").to_owned();
        assert!(id.len() >= 16, "{id}");
        assert!(!seen.contains(&id));
        seen.push(id);
        assert_eq!(reply.header("server"), "");
        assert_eq!(reply.header("x-powered-by"), "");
        assert!(reply.header("date").ends_with(" GMT"));
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    let longest = "a".repeat(128);
    for harmless in [
        "a",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        "A_b.C-1",
        &longest,
    ] {
        let line = format!("X-Request-Id: {harmless}");
        let answer = prokura.wire_request("GET /nothing", &[&line]).await;
        assert_eq!(answer.header("x-request-id"), harmless);
        assert!(answer.body().contains(harmless));
    }
    let longer = "a".repeat(129);
    for harmful in [
        "", "a b", "a\tb", "a;b", "a\"b", "<a>", "a\\b", "a/b", "a%0d%0ab", "{a}", "a,b", "é",
        "$(a)", "a:b", &longer,
    ] {
        let line = format!("X-Request-Id: {harmful}");
        let answer = prokura.wire_request("GET /nothing", &[&line]).await;
        let id = answer.header("x-request-id");
        assert!(id.len() >= 16 && id != harmful, "{harmful:?} {answer:?}");
        assert!(harmful.is_empty() || harmful.len() < 3 || !answer.0.contains(harmful));
    }
}

/// H10: without a token there are the health checks, the discovery documents and the API document, and nothing else. The
/// table of all that is served is `http/routes.rs`.
#[tokio::test]
async fn what_is_open_to_everybody_is_known() {
    let prokura = start().await;
    for path in [
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/api/openapi.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
    ] {
        prokura.get(path).await.expect(200).json();
    }
    let page = prokura.get("/docs").await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        prokura.get(path).await.expect(405);
        let request = prokura.request(Method::POST, path);
        prokura
            .send(request.form(&[("grant_type", "client_credentials"), ("token", "x")]))
            .await
            .expect_oauth_error(401, "invalid_client");
    }
    prokura
        .get("/api/v1/service-accounts")
        .await
        .expect_api_error(401, "unauthorized");
    for path in [
        "/",
        "/index.html",
        "/favicon.ico",
        "/robots.txt",
        "/metrics",
        "/debug",
        "/debug/pprof/",
        "/debug/vars",
        "/trace",
        "/actuator",
        "/actuator/env",
        "/admin",
        "/console",
        "/status",
        "/health",
        "/livez",
        "/version",
        "/info",
        "/env",
        "/config",
        "/.env",
        "/.git/HEAD",
        "/prokura.db",
        "/bootstrap.json",
        "/master.key",
        "/data/prokura.db",
        "/swagger",
        "/swagger-ui",
        "/redoc",
        "/openapi.yaml",
        "/openapi",
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/openapi.json",
        "/api/v2",
        "/api/v1/organizations",
        "/api/v1/audit",
        "/api/v1/audit-events/1",
        "/api/v1/audit-events/export/",
        "/api/v1/secrets",
        "/api/v1/users",
        "/oauth2",
        "/oauth2/",
        "/oauth2/authorize",
        "/oauth2/keys",
        "/oauth2/register",
        "/oauth2/userinfo",
        "/graphql",
        "/.well-known/",
        "/.well-known/jwks",
        "/.well-known/security.txt",
        "/.well-known/webfinger",
        "/server-status",
        "/cgi-bin/",
        "/wp-login.php",
    ] {
        prokura.get(path).await.expect(404);
    }
}

/// G18: a path is what it is to the letter. What a proxy might take for another path is not that path here: nobody gets
/// past it by spelling.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_has_one_spelling() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let authorization = format!("Authorization: Bearer {token}");
    let id = &prokura.root.id;
    let list = "/api/v1/service-accounts";
    for path in [
        format!("{list}/"),
        format!("/{list}"),
        format!("//evil.example{list}"),
        "/api//v1/service-accounts".to_owned(),
        "/api/v1//service-accounts".to_owned(),
        "/api/./v1/service-accounts".to_owned(),
        format!("{list}/./{id}"),
        format!("{list}//{id}"),
        format!("{list}/{id}/"),
        format!("{list}/{id}/."),
        format!("{list}/{id}/.."),
        format!("{list}/{id}/../{id}"),
        format!("{list}/..;/service-accounts"),
        format!("{list}/%2e%2e/service-accounts"),
        format!("{list};a=b"),
        format!("{list};"),
        format!("{list}%20"),
        format!("{list}%2f"),
        format!("{list}%2F{id}"),
        format!("{list}%00"),
        format!("{list}%3flimit=1"),
        format!("{list}."),
        format!("{list}.json"),
        format!("{list}\\"),
        "/API/v1/service-accounts".to_owned(),
        "/api/V1/service-accounts".to_owned(),
        "/api/v1/Service-Accounts".to_owned(),
        "/api/v1/service%2daccounts".to_owned(),
        "/api/v1/%73ervice-accounts".to_owned(),
        "/api/v1/service_accounts".to_owned(),
        "/healthz/../api/v1/service-accounts".to_owned(),
        "/healthz/..;/api/v1/service-accounts".to_owned(),
        "/healthz%2f..%2fapi/v1/service-accounts".to_owned(),
        "/%2e/api/v1/service-accounts".to_owned(),
        "/healthz/".to_owned(),
        "/openapi.json/".to_owned(),
        "/.well-known/../api/v1/service-accounts".to_owned(),
        format!("{list}/{id}/rotate-secret/"),
        format!("{list}/{id}/rotate%2dsecret"),
        format!("{list}/{id}/Rotate-Secret"),
    ] {
        for method in ["GET", "POST"] {
            for headers in [&[][..], &[&*authorization]] {
                let request = format!("{method} {path}");
                let answer = prokura.wire_request(&request, headers).await;
                let status = answer.status();
                assert!(
                    status == 404 || (path.contains('\\') && status == 400),
                    "{request} {answer:?}"
                );
                assert_eq!(answer.header("location"), "");
            }
        }
    }
    // What stands where the id should: no id, and without a token not even that is said.
    for path in ["..;", "%2e%2e", "..%2f", ".", ".."] {
        let request = format!("GET {list}/{path}");
        let refused = prokura.wire_request(&request, &[&authorization]).await;
        assert_eq!(refused.status(), 400, "{path}");
        assert_eq!(prokura.wire_request(&request, &[]).await.status(), 401);
    }
    prokura.access_token(&prokura.root).await;
}
