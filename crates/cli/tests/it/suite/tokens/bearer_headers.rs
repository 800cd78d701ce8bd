//! The headers of requests with a bearer token, and of the responses to them (section B).

use serde_json::json;

use super::{BARE_CHALLENGE, assert_no_token, start_with_token};
use crate::harness::{NO_ACCOUNT, managed_operations, operation};

/// B8. The server never picks one of two tokens, even if both are valid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authorization_that_is_not_one_token_is_refused() {
    let (prokura, token) = start_with_token().await;
    let one = format!("Authorization: Bearer {token}");
    let basic = format!("Authorization: {}", prokura.root.basic());
    let cases: [&[&str]; 12] = [
        &[&one, &one],
        &[&one, "Authorization: Bearer other"],
        &[&basic, &one],
        &[&one, &basic],
        &[&format!("{one}, Bearer {token}")],
        &[&format!("{one},")],
        &["Authorization: Bearer"],
        &["Authorization: Bearer "],
        &[&format!("{one} {token}")],
        &[&format!("Authorization: Bearer \"{token}\"")],
        &[&format!("{one}\u{e9}")],
        &[&format!("Authorization: Bearer ={token}")],
    ];
    for headers in cases {
        let answer = prokura
            .wire_request("GET /api/v1/service-accounts", headers)
            .await;
        assert_eq!(answer.status(), 400, "{headers:?} {answer:?}");
        assert_eq!(
            answer.header("www-authenticate"),
            r#"Bearer realm="prokura", error="invalid_request""#
        );
        assert!(answer.body().contains(r#""code":"invalid_request""#));
    }
    for headers in [
        &["Authorization:"][..],
        &["Authorization: "],
        &[&format!("Authorization: Bearer\t{token}")],
        &[&format!("Authorization: {token}")],
    ] {
        let answer = prokura
            .wire_request("GET /api/v1/service-accounts", headers)
            .await;
        assert_eq!(answer.status(), 401, "{headers:?} {answer:?}");
        assert_eq!(answer.header("www-authenticate"), BARE_CHALLENGE);
    }
}

/// Parses a challenge by the grammar of RFC 9110 §11.6.1 and RFC 6750 §3. No parameter may occur twice.
fn parameters(challenge: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::<(String, String)>::new();
    for parameter in challenge.strip_prefix("Bearer ").unwrap().split(", ") {
        let (name, value) = parameter.split_once('=').unwrap();
        assert!(parameters.iter().all(|(known, _)| known != name));
        let value = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        let safe = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(value.bytes().all(safe), "{challenge}");
        parameters.push((name.to_owned(), value.to_owned()));
    }
    parameters
}

/// B9. Nothing of the request gets into a header of the response.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn challenges_and_headers_cannot_be_forged() {
    let (prokura, root) = start_with_token().await;
    let body = json!({ "name": "Reader", "scopes": ["management:service-accounts:read"] });
    let (_, reader) = prokura.create(&root, body).await;
    let reader = prokura.access_token(&reader).await;
    let path = "/api/v1/service-accounts";
    for (request, authorization, known) in [
        (format!("GET {path}"), String::new(), &["realm"][..]),
        (
            format!("GET {path}/%0d%0aSet-Cookie:%20a=b"),
            "Authorization: Bearer x\"y".to_owned(),
            &["realm", "error"],
        ),
        (
            format!("GET {path}/%22%5c,error=?scope=%22,error=%22x"),
            "Authorization: Bearer forged".to_owned(),
            &["realm", "error"],
        ),
        (
            format!("DELETE {path}/%0d%0aX-Evil:%20a?%0d%0aX-Evil:%20b"),
            format!("Authorization: Bearer {reader}"),
            &["realm", "error", "scope"],
        ),
    ] {
        let headers = [&*authorization, "X-Request-Id: a\"b\\c"];
        let headers = headers.iter().filter(|line| !line.is_empty());
        let headers = headers.copied().collect::<Vec<_>>();
        let answer = prokura.wire_request(&request, &headers).await;
        let names = parameters(answer.header("www-authenticate"));
        let names = names.iter().map(|(name, _)| &**name).collect::<Vec<_>>();
        assert_eq!(names, known);
        assert_eq!(answer.header("set-cookie"), "");
        assert_eq!(answer.header("x-evil"), "");
        assert!(!answer.header("x-request-id").contains(['"', '\\']));
    }
    // A made-up scope in a body is refused without a challenge.
    let body = json!({ "name": "CI", "scopes": ["a,error=b\r\nX-Evil:c"] });
    let refused = prokura
        .try_create(&root, body)
        .await
        .expect_wrong_field("scopes");
    assert_eq!(refused.header("www-authenticate"), "");
}

/// B11. Neither successes nor errors may be cached.
#[tokio::test]
async fn no_response_of_the_management_api_is_cacheable() {
    let (prokura, token) = start_with_token().await;
    let (account, _) = prokura.create(&token, json!({ "name": "CI" })).await;
    let id = account["id"].as_str().unwrap();
    let authorization = format!("Bearer {token}");
    let mut statuses = Vec::new();
    for id in [id, NO_ACCOUNT, "no-id"] {
        for operation in managed_operations() {
            for headers in [
                &[][..],
                &[("authorization", "Bearer x")],
                &[("authorization", "Bearer")],
                &[("authorization", &*authorization)],
            ] {
                let reply = operation.send(&prokura, id, headers).await;
                assert_eq!(reply.header("cache-control"), "no-store", "{reply:?}");
                assert_eq!(reply.header("x-content-type-options"), "nosniff");
                statuses.push(reply.status);
            }
        }
    }
    for status in [200, 201, 204, 400, 401, 404] {
        assert!(statuses.contains(&status), "{status} was not tried");
    }
}

/// B12. The server does not trust forwarding headers from outside.
#[tokio::test]
async fn forwarding_headers_change_nothing() {
    let (prokura, token) = start_with_token().await;
    let other = prokura.bootstrap("Other").await;
    let authorization = format!("Bearer {token}");
    let forged = [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7;host=evil.example;proto=https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-url", "/healthz"),
        ("x-rewrite-url", "/healthz"),
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-user-id", &other.id),
        ("x-org-id", "Other"),
        ("x-organization-id", "Other"),
    ];
    let send = async |id: &str, headers: &[(&str, &str)]| {
        let operation = operation(id);
        operation.send(&prokura, &prokura.root.id, headers).await
    };
    let list = "list_service_accounts";
    let plain = send(list, &[("authorization", &authorization)]).await;
    let mut headers = forged.to_vec();
    assert_no_token(send(list, &headers).await);
    headers.push(("authorization", &authorization));
    let listed = send(list, &headers).await;
    assert_eq!(listed.essence(), plain.essence());

    // The account is read, not deleted. The new account has the real caller, URL and organization.
    send("get_service_account", &headers).await.expect(200);
    send("get_service_account", &headers).await.expect(200);
    let created = send("create_service_account", &headers).await;
    let created = created.expect(201);
    let account = created.json()["serviceAccount"].clone();
    assert_eq!(account["createdBy"], prokura.root.id);
    assert_eq!(
        created.header("location"),
        format!(
            "{}/api/v1/service-accounts/{}",
            prokura.issuer,
            account["id"].as_str().unwrap()
        )
    );
    let addresses = prokura
        .rows("SELECT DISTINCT address FROM audit_events WHERE address IS NOT NULL")
        .await;
    assert_eq!(addresses, [[json!("127.0.0.1")]]);
}
