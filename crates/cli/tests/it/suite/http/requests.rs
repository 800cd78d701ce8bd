//! The headers that every request and every response has (H2, H9).

use reqwest::Method;

use super::{host, start, start_with_token};

/// H2. A request has exactly one valid `Host`.
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

/// H2. Another host, in whatever form, changes nothing: the server uses its configured URL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_host_changes_nothing() {
    let (prokura, token) = start_with_token().await;
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
    // The server is not a proxy.
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

/// H9. Every response has a request ID, which the log has too. The server takes the ID of the request if its characters
/// are safe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_response_has_a_request_id() {
    let (prokura, token) = start_with_token().await;
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
