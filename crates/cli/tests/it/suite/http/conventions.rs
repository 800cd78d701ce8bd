//! What all operations of the management API have in common: IDs, methods, lengths and errors (G5, G17, G19, G22, G23).

use reqwest::Method;
use serde_json::{Value, json};

use super::start_with_token;
use crate::harness::{NO_ACCOUNT, operations_on_an_account};

/// G5, G17. An ID has one spelling. Every other spelling is refused, and never names another account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_has_one_spelling() {
    let (prokura, token) = start_with_token().await;
    let authorization = format!("Authorization: Bearer {token}");
    let id = prokura.root.id.clone();
    let ask = async |spelling: &str| {
        let request = format!("GET /api/v1/service-accounts/{spelling}");
        prokura.wire_request(&request, &[&authorization]).await
    };
    assert_eq!(ask(&id).await.status(), 200);

    let bare = id.replace('-', "");
    for spelling in [
        format!("sa_{id}"),
        id.to_uppercase(),
        format!("{}{}", id[..9].to_uppercase(), &id[9..]),
        format!("{{{id}}}"),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        bare.clone(),
        format!("{bare}0000"),
        id[..35].to_owned(),
        format!("{id}0"),
        format!("0{id}"),
        format!("{id}%20"),
        format!("%20{id}"),
        format!("{id}+"),
        format!("{id}%00"),
        format!("%00{id}"),
        format!("{id}%0a"),
        format!("{id};v=1"),
        format!("{id}%2f"),
        format!("{id}.json"),
        format!("{id},{id}"),
        id.replace('-', "%2d"),
        id.replace('-', "%2D"),
        id.replace('-', "_"),
        id.replace('-', "%E2%80%90"),
        format!("%{:02x}{}", id.as_bytes()[0], &id[1..]),
        format!("{}%D9%A1", &id[..35]),
        format!("{}\u{661}", &id[..35]),
        format!("{}g", &id[..35]),
        "..".to_owned(),
        ".".to_owned(),
        "%2e%2e".to_owned(),
        "..%2f..%2f".to_owned(),
        "..%2f..%2fhealthz".to_owned(),
        "%2e%2e%2f%2e%2e%2fhealthz".to_owned(),
        "..;".to_owned(),
        "%".to_owned(),
        "%zz".to_owned(),
        "*".to_owned(),
        "null".to_owned(),
        "0".to_owned(),
        "1'%20OR%20'1'='1".to_owned(),
        "%ff".to_owned(),
        "x".repeat(5000),
    ] {
        let answer = ask(&spelling).await;
        assert_eq!(answer.status(), 400, "{spelling} {answer:?}");
        let body = serde_json::from_str::<Value>(answer.body()).unwrap();
        assert_eq!(body["errors"][0]["field"], "id", "{spelling}");
    }
    // Canonical UUIDs of every version and variant that no account has.
    for nobody in [
        NO_ACCOUNT,
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "c232ab00-9414-11ec-b3c8-9f6bdeced846",
        "000003e8-9414-21ec-b300-325096b39f47",
        "5df41881-3aed-3515-88a7-2f4a814cf09e",
        "919108f7-52d1-4320-9bac-f847db4148a8",
        "2ed6657d-e927-568b-95e1-2665a8aea6a2",
        "1ec9414c-232a-6b00-b3c8-9f6bdeced846",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "320c3d4d-cc00-875b-8ec9-32d5f69181c0",
        "019ab0f4-5d2e-7c11-0a52-3b1f6b0d2c47",
    ] {
        let answer = ask(nobody).await;
        assert_eq!(answer.status(), 404, "{nobody} {answer:?}");
        assert!(answer.body().contains("service_account_not_found"));
    }
    // All other operations parse the ID in the same way.
    for operation in operations_on_an_account() {
        let reply = operation.send_with_token(&prokura, &prokura.root.client_id, &token);
        reply.await.expect_wrong_field("id");
    }
    prokura.access_token(&prokura.root).await;
}

/// G19. An unsupported method is a 405, and `Allow` lists the methods of the path.
#[tokio::test]
async fn an_unsupported_method_is_a_405_with_allow() {
    let (prokura, token) = start_with_token().await;
    let list = "/api/v1/service-accounts".to_owned();
    let one = format!("{list}/{}", prokura.root.id);
    let rotation = format!("{one}/rotate-secret");
    for (path, allowed) in [
        (&list, "GET,HEAD,POST"),
        (&one, "DELETE,GET,HEAD,PATCH"),
        (&rotation, "POST"),
    ] {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "OPTIONS",
            "QUERY",
        ] {
            let request = prokura.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
            let reply = prokura.send(request.bearer_auth("x")).await;
            if allowed.split(',').any(|known| known == method) {
                reply.expect(401);
                continue;
            }
            let mut allow = reply.header("allow").split(',').collect::<Vec<_>>();
            allow.sort_unstable();
            assert_eq!(allow.join(","), allowed, "{method} {path}");
            match method {
                "OPTIONS" => assert!(reply.expect(204).body.is_empty()),
                "HEAD" => assert!(reply.expect(405).body.is_empty()),
                _ => drop(reply.expect_api_error(405, "method_not_allowed")),
            }
        }
    }
    // HEAD is the same as GET without the body.
    for path in [&list, &format!("{list}?limit=1"), &one] {
        let ask = async |method| {
            let request = prokura.request(method, path).bearer_auth(&token);
            let reply = prokura.send(request.header("x-request-id", "same")).await;
            let (status, mut headers, body) = reply.essence();
            headers.retain(|(name, _)| name != "transfer-encoding");
            (status, headers, body)
        };
        let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
        assert_eq!((get.0, &get.1), (200, &head.1));
        assert_eq!(head.0, 200);
        assert!(head.2.is_empty() && !get.2.is_empty());
    }
    let request = prokura.request(Method::HEAD, &one);
    assert!(prokura.send(request).await.expect(401).body.is_empty());
    // No header and no parameter overrides the method.
    for request in [
        prokura
            .request(Method::POST, &one)
            .header("x-http-method-override", "DELETE"),
        prokura.request(Method::POST, &format!("{one}?_method=DELETE")),
    ] {
        prokura
            .send(request.bearer_auth(&token))
            .await
            .expect_api_error(405, "method_not_allowed");
    }
    prokura.access_token(&prokura.root).await;
}

/// G22. Content-Length is the length of the body. An empty response has neither a length nor a media type.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responses_have_the_right_content_length() {
    let (prokura, token) = start_with_token().await;
    let authorization = format!("Authorization: Bearer {token}");
    let body = r#"{"name":"CI"}"#;
    let length = format!("Content-Length: {}", body.len());
    let host = prokura.url.trim_start_matches("http://");
    let created = prokura
        .wire(format!(
            "POST /api/v1/service-accounts HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{authorization}\r\n\
             Content-Type: application/json\r\n{length}\r\n\r\n{body}"
        ))
        .await;
    assert_eq!(created.status(), 201);
    let id = created
        .header("location")
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/service-accounts/{id}");
    let mut answers = vec![created];
    for request in [format!("GET {path}"), format!("POST {path}/rotate-secret")] {
        answers.push(prokura.wire_request(&request, &[&authorization]).await);
    }
    for answer in &answers {
        let length = answer.header("content-length").parse::<usize>();
        assert_eq!(length, Ok(answer.body().len()), "{answer:?}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let request = format!("DELETE {path}");
    let deleted = prokura.wire_request(&request, &[&authorization]).await;
    assert_eq!(deleted.status(), 204);
    assert_eq!(deleted.body(), "");
    for name in ["content-length", "transfer-encoding", "content-type"] {
        assert_eq!(deleted.header(name), "", "{name}");
    }
    // The second deletion finds nothing.
    let request = format!("DELETE {path}");
    let again = prokura.wire_request(&request, &[&authorization]).await;
    assert_eq!(again.status(), 404);
}

/// G23. All errors have the same shape, with the status of the response, a stable code, and no internals.
#[tokio::test]
async fn every_error_has_the_same_shape() {
    let (prokura, token) = start_with_token().await;
    let body = json!({ "name": "Reader", "scopes": ["management:service-accounts:read"] });
    let (_, reader) = prokura.create(&token, body).await;
    let reader = prokura.access_token(&reader).await;
    let list = "/api/v1/service-accounts";
    let request = |method, path: &str| {
        prokura
            .request(method, path)
            .header("accept-language", "de")
    };
    let nobody = format!("{list}/{NO_ACCOUNT}");
    let long = format!("{list}?{}", "x".repeat(9000));
    for (request, status, code, more) in [
        (
            request(Method::GET, &format!("{list}/x")).bearer_auth(&token),
            400,
            "invalid_request",
            "errors",
        ),
        (
            request(Method::POST, list)
                .bearer_auth(&token)
                .json(&json!({})),
            400,
            "invalid_request",
            "errors",
        ),
        (
            request(Method::GET, list).bearer_auth("\""),
            400,
            "invalid_request",
            "",
        ),
        (request(Method::GET, list), 401, "unauthorized", ""),
        (
            request(Method::GET, list).bearer_auth("x"),
            401,
            "invalid_token",
            "",
        ),
        (
            request(Method::DELETE, &nobody).bearer_auth(&reader),
            403,
            "insufficient_scope",
            "missingScopes",
        ),
        (
            request(Method::GET, &nobody).bearer_auth(&token),
            404,
            "service_account_not_found",
            "",
        ),
        (
            request(Method::GET, "/api/v1/nothing"),
            404,
            "not_found",
            "",
        ),
        (request(Method::GET, "/"), 404, "not_found", ""),
        (request(Method::PUT, list), 405, "method_not_allowed", ""),
        (
            request(Method::POST, list).body("x".repeat(70_000)),
            413,
            "request_too_large",
            "",
        ),
        (request(Method::GET, &long), 414, "uri_too_long", ""),
        (
            request(Method::POST, list).bearer_auth(&token).body("x"),
            415,
            "unsupported_media_type",
            "",
        ),
    ] {
        let reply = prokura.send(request).await.expect_api_error(status, code);
        let body = reply.json();
        let members = body.as_object().unwrap().keys().map(String::as_str);
        let mut members = members.collect::<Vec<_>>();
        let mut expected = vec!["message", "statusCode", "code", "requestId", more];
        expected.retain(|member| !member.is_empty());
        members.sort_unstable();
        expected.sort_unstable();
        assert_eq!(members, expected);
        let has_challenge = !reply.header("www-authenticate").is_empty();
        let needs_challenge = matches!(status, 401 | 403);
        assert!(has_challenge || !needs_challenge, "{body}");
        let text = body.to_string().to_lowercase();
        for inside in [
            "sql", "rusqlite", "postgres", "serde", "axum", "hyper", "panic", ".rs", "crates/",
            "select ",
        ] {
            assert!(!text.contains(inside), "{text}");
        }
    }
    prokura.watch.fail_after(0);
    let reply = prokura
        .api(Method::GET, "/service-accounts", &token, None)
        .await;
    let body = reply
        .expect_api_error(503, "temporarily_unavailable")
        .json();
    assert!(!body.to_string().contains("told to fail"), "{body}");
}
