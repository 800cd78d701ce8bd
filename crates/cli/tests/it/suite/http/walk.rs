//! Calls every operation of the API document without the required permission. The operations come from the document, so
//! a new one is included.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{start, start_with_token};
use crate::harness::{DOCUMENT, every_operation, managed_operations};

/// The operations that take no bearer token, each with the reason. A new entry needs a rule of its own and a test of
/// that rule.
const EXCEPTIONS: [(&str, &str); 5] = [
    (
        "issue_token",
        "the client authenticates by its secret: this is where tokens come from",
    ),
    (
        "introspect_token",
        "the client authenticates by its secret (RFC 7662 §2.1)",
    ),
    (
        "revoke_token",
        "the client authenticates by its secret (RFC 7009 §2.1)",
    ),
    ("check_liveness", "a supervisor has no token"),
    ("check_readiness", "a load balancer has no token"),
];

/// Every operation either requires a scope, or is an exception with a reason.
#[test]
fn every_operation_has_a_rule() {
    let operations = every_operation();
    // Read from the text itself, so that the list cannot be short.
    let named = DOCUMENT.split("\"operationId\": \"").skip(1);
    let named = named.filter_map(|rest| rest.split('"').next());
    let listed = operations.iter().map(|operation| &*operation.id);
    assert_eq!(
        listed.collect::<BTreeSet<_>>(),
        named.collect::<BTreeSet<_>>()
    );
    for operation in &operations {
        let is_exception = EXCEPTIONS.iter().any(|(id, _)| *id == operation.id);
        assert_ne!(
            operation.scope.is_some(),
            is_exception,
            "{} must need a scope, or be an exception with a reason",
            operation.id
        );
        // The operations that require a scope are exactly those under `/api/v1/`.
        let is_managed = operation.path.starts_with("/api/v1/");
        assert_eq!(operation.scope.is_some(), is_managed, "{}", operation.id);
    }
    for (id, _) in EXCEPTIONS {
        assert!(
            operations.iter().any(|operation| operation.id == id),
            "{id} is gone: strike it from the list"
        );
    }
}

/// B1, B3. No token is `unauthorized`, a bad token is `invalid_token`.
#[tokio::test]
async fn every_operation_refuses_a_request_without_a_token() {
    let prokura = start().await;
    for operation in managed_operations() {
        let reply = operation.send(&prokura, &prokura.root.id, &[]).await;
        reply.expect_api_error(401, "unauthorized");
        let reply = operation
            .send_with_token(&prokura, &prokura.root.id, "x")
            .await;
        reply.expect_api_error(401, "invalid_token");
    }
    prokura.access_token(&prokura.root).await;
}

/// B4, G9. All other scopes together are not enough, and the documented scope alone is.
#[tokio::test]
async fn every_operation_needs_its_scope_and_no_other() {
    let (prokura, root) = start_with_token().await;
    let all = [
        "management:audit:read",
        "management:service-accounts:read",
        "management:service-accounts:rotate",
        "management:service-accounts:write",
        "tokens:introspect",
    ];
    for operation in managed_operations() {
        let needed = operation.scope.as_deref().unwrap();
        assert!(all.contains(&needed), "tell the walk of {needed}");
        let others = all.iter().filter(|scope| !includes(scope, needed));
        let others = others.filter(|scope| {
            // Secrets can be listed by those who may rotate them, too.
            operation.id != "list_secrets" || !includes(scope, "management:service-accounts:rotate")
        });
        let others = others.collect::<Vec<_>>();
        let (_, target) = prokura
            .create(&root, json!({ "name": "Target", "scopes": [] }))
            .await;
        for (scopes, is_enough) in [(json!(others), false), (json!([needed]), true)] {
            let body = json!({ "name": "Caller", "scopes": scopes });
            let (_, caller) = prokura.create(&root, body).await;
            let token = prokura.access_token(&caller).await;
            let reply = operation
                .send_with_token(&prokura, &target.id, &token)
                .await;
            if is_enough {
                // An authorized request succeeds, or fails because there is no such secret or rotation.
                let is_let_in = match &*operation.id {
                    "delete_secret" => reply.json()["code"] == "secret_not_found",
                    "cancel_rotation" => reply.json()["code"] == "no_rotation_under_way",
                    _ => (200..300).contains(&reply.status),
                };
                assert!(is_let_in, "{reply:?}");
            } else {
                let reply = reply.expect_api_error(403, "insufficient_scope");
                assert_eq!(reply.json()["missingScopes"], json!([needed]));
            }
        }
    }
}

fn includes(scope: &str, other: &str) -> bool {
    let write_and_rotate = [
        "management:service-accounts:write",
        "management:service-accounts:rotate",
    ];
    scope == other || [scope, other] == write_and_rotate
}

/// P6, G8. An account of another organization is a 404. Operations on all accounts see those of the caller's
/// organization only.
#[tokio::test]
async fn every_operation_hides_the_accounts_of_other_organizations() {
    let (prokura, ours) = start_with_token().await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let (before, target) = prokura.create(&ours, json!({ "name": "Target" })).await;
    for operation in managed_operations() {
        let reply = operation
            .send_with_token(&prokura, &target.id, &theirs)
            .await;
        if operation.is_about_an_account() {
            reply.expect_api_error(404, "service_account_not_found");
            continue;
        }
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        assert!((200..300).contains(&reply.status), "{text}");
        for id in [&target.id, &prokura.root.id] {
            assert!(
                !text.contains(id),
                "{} shows another's account",
                operation.id
            );
        }
    }
    let list = prokura
        .api(Method::GET, "/service-accounts", &ours, None)
        .await
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(list["items"][1], before);
    prokura.access_token(&target).await;
}

/// The operations without a bearer token have rules of their own.
#[tokio::test]
async fn every_exception_follows_its_own_rule() {
    let (prokura, token) = start_with_token().await;
    for operation in every_operation() {
        if operation.scope.is_some() {
            continue;
        }
        let form = [("grant_type", "client_credentials"), ("token", "x")];
        let request = prokura.request(operation.method.clone(), &operation.path);
        if operation.path.starts_with("/oauth2/") {
            // Without client authentication the request is refused. A bearer token does not authenticate a client.
            let anonymous = prokura.send(request.form(&form)).await;
            anonymous.expect_oauth_error(401, "invalid_client");
            let request = prokura.request(operation.method, &operation.path);
            let borne = prokura.send(request.bearer_auth(&token).form(&form)).await;
            borne.expect_oauth_error(401, "invalid_client");
        } else {
            // The health checks require no token and reveal nothing but the state.
            let reply = prokura.send(request).await.expect(200).json();
            assert_eq!(reply.as_object().unwrap().len(), 1);
            assert!(reply["status"].is_string());
        }
    }
}

/// G19. Every documented path accepts the documented methods and no others.
#[tokio::test]
async fn every_path_accepts_exactly_the_documented_methods() {
    let prokura = start().await;
    let operations = every_operation();
    for operation in &operations {
        let path = operation.path_for(&prokura.root.id);
        let of_path = operations
            .iter()
            .filter(|other| other.path == operation.path);
        let mut methods = of_path
            .map(|other| other.method.as_str())
            .collect::<Vec<_>>();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"] {
            let method = method.parse::<Method>().unwrap();
            let reply = prokura.send(prokura.request(method.clone(), &path)).await;
            if methods.contains(&method.as_str()) {
                assert!(!matches!(reply.status, 404 | 405), "{method} {path}");
            } else {
                reply.expect(405);
            }
        }
        let options = prokura.request(Method::OPTIONS, &path);
        let options = prokura.send(options).await.expect(204);
        let mut allow = options.header("allow").split(',').collect::<Vec<_>>();
        allow.sort_unstable();
        assert_eq!(allow, methods, "{path}");
    }
}

/// The served document is the committed one, with the URL of this server.
#[tokio::test]
async fn the_committed_api_document_is_served() {
    let prokura = start().await;
    let mut committed = serde_json::from_str::<Value>(DOCUMENT).unwrap();
    committed["servers"] = json!([{ "url": prokura.issuer }]);
    for path in ["/openapi.json", "/api/openapi.json"] {
        let served = prokura.get(path).await.expect(200);
        assert_eq!(served.json(), committed, "{path}");
    }
}

/// The reference page loads only what this server serves, and its Content-Security-Policy allows nothing else.
#[tokio::test]
async fn the_reference_page_loads_nothing_from_elsewhere() {
    let prokura = start().await;
    let page = prokura.get("/docs").await.expect(200);
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    let mut loaded = vec!["/docs".to_owned()];
    for attribute in ["src=\"", "href=\""] {
        for (at, _) in html.match_indices(attribute) {
            let target = html[at + attribute.len()..].split('"').next().unwrap();
            assert!(!target.contains("//"), "{target}");
            if !target.starts_with("data:") {
                loaded.push(format!("/{target}"));
            }
        }
    }
    assert!(loaded.len() >= 5, "{loaded:?}");
    for path in loaded {
        let reply = prokura.get(&path).await.expect(200);
        if path == "/openapi.json" {
            continue;
        }
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{policy}"
        );
        // Compressed responses declare their encoding.
        let is_gzip = reply.body.starts_with(&[0x1f, 0x8b]);
        assert_eq!(
            reply.headers.contains_key("content-encoding"),
            is_gzip,
            "{path}"
        );
    }
}
