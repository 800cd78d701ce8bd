//! Token requests: method, path, query and headers (section T).

use std::sync::atomic::Ordering;

use reqwest::Method;
use serde_json::Value;

use super::{GRANT, PATIENCE, TOKEN, as_root, head, start};

/// T1, T2. RFC 6749 requires Basic, OAuth 2.1 requires the body. Both work.
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

/// T3. Proxies log the query, so nothing in it counts.
#[tokio::test]
async fn parameters_in_the_query_are_ignored() {
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
    // Half of the credentials in the query and half in the body do not authenticate either.
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

/// T4, E5. RFC 6749 §3.2: clients use POST, at this endpoint and at the other two.
#[tokio::test]
async fn only_post_is_accepted() {
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

/// T20. Prometheus sends no `Accept`, librdkafka no `User-Agent`. The response is JSON whatever `Accept` says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_headers_accept_and_user_agent_are_optional() {
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

/// T22. RFC 6749 §3.2: the URL of the endpoint has no fragment and may have a query.
#[tokio::test]
async fn a_query_in_the_url_of_the_endpoint_is_harmless() {
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

/// T23. The path has one spelling. A redirect would send the secret a second time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_spelling_of_the_path_is_a_404_without_a_redirect() {
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
