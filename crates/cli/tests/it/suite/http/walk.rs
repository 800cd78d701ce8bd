//! Every operation of the API document, called by those who may not. A new one cannot be forgotten: it is walked, or this
//! does not pass.

use reqwest::Method;
use serde_json::{Value, json};

use super::start;
use crate::harness::{Prokura, Reply};

const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json"));

/// The operations that take no bearer token, each with why. This list may only shrink, or grow by an operation that has a
/// rule of its own and a test of it.
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

/// A secret that no account has.
const NO_SECRET: &str = "01930a3e-7b1c-7def-8000-0123456789ab";

struct Operation {
    id: String,
    method: Method,
    /// With `{id}` in it, if it is about one account.
    path: String,
    /// The one scope that it needs. `None`: it takes no bearer token.
    scope: Option<String>,
    takes_json: bool,
    /// The statuses that it is said to answer with.
    statuses: Vec<u16>,
}

fn operations() -> Vec<Operation> {
    let document = serde_json::from_str::<Value>(DOCUMENT).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
                continue;
            };
            let scope = &operation["security"][0]["bearer"];
            if let Some(scopes) = scope.as_array() {
                assert_eq!(scopes.len(), 1, "this walk knows operations of one scope");
                assert_eq!(operation["security"].as_array().unwrap().len(), 1);
            }
            let statuses = operation["responses"].as_object().unwrap().keys();
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method,
                path: path.clone(),
                scope: scope[0].as_str().map(str::to_owned),
                takes_json: !operation["requestBody"]["content"]["application/json"].is_null(),
                statuses: statuses.map(|status| status.parse().unwrap()).collect(),
            });
        }
    }
    assert!(operations.len() >= 12);
    operations
}

fn managed() -> Vec<Operation> {
    let managed = operations()
        .into_iter()
        .filter(|operation| operation.scope.is_some());
    managed.collect()
}

impl Operation {
    fn path_of(&self, id: &str) -> String {
        let path = self
            .path
            .replace("{id}", id)
            .replace("{secretId}", NO_SECRET);
        assert!(
            !path.contains('{'),
            "the walk does not know how to fill {path}"
        );
        path
    }

    /// A body with which it would succeed.
    fn body(&self) -> Option<Value> {
        self.takes_json.then(|| match &*self.id {
            "create_service_account" | "update_service_account" => json!({ "name": "Walked" }),
            "rotate_secret" => json!({ "gracePeriodSeconds": 60 }),
            "add_secret" => json!({ "expiresInSeconds": 60 }),
            other => panic!("tell the walk what {other} takes"),
        })
    }

    /// Calls it on the account `id`; the answer is one of those in the document.
    async fn call(&self, prokura: &Prokura, id: &str, token: Option<&str>) -> Reply {
        let mut request = prokura.request(self.method.clone(), &self.path_of(id));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = self.body() {
            request = request.json(&body);
        }
        let reply = prokura.send(request).await;
        assert!(
            self.statuses.contains(&reply.status),
            "{} answers {}, which is not in the document",
            self.id,
            reply.status
        );
        reply
    }
}

/// Every operation is in one class: it takes a bearer token with a scope, or it is an exception that says why.
#[test]
fn every_operation_has_a_rule() {
    let operations = operations();
    for operation in &operations {
        let is_exception = EXCEPTIONS.iter().any(|(id, _)| *id == operation.id);
        assert_ne!(
            operation.scope.is_some(),
            is_exception,
            "{} must need a scope, or be an exception with a reason",
            operation.id
        );
        // What is managed is under one roof, and nothing else is.
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

/// B1, B3.
#[tokio::test]
async fn every_operation_refuses_who_has_no_token() {
    let prokura = start().await;
    for operation in managed() {
        let reply = operation.call(&prokura, &prokura.root.id, None).await;
        reply.expect_api_error(401, "unauthorized");
        let reply = operation.call(&prokura, &prokura.root.id, Some("x")).await;
        reply.expect_api_error(401, "invalid_token");
    }
    prokura.access_token(&prokura.root).await;
}

/// B4, G9: all other scopes do not help, and the one that the document names is enough.
#[tokio::test]
async fn every_operation_needs_its_scope_and_no_other() {
    let prokura = start().await;
    let root = prokura.access_token(&prokura.root).await;
    let all = [
        "management:audit:read",
        "management:service-accounts:read",
        "management:service-accounts:write",
        "tokens:introspect",
    ];
    for operation in managed() {
        let needed = operation.scope.as_deref().unwrap();
        assert!(all.contains(&needed), "tell the walk of {needed}");
        let others = all.iter().filter(|scope| **scope != needed);
        let others = others.collect::<Vec<_>>();
        let (_, target) = prokura
            .create(&root, json!({ "name": "Target", "scopes": [] }))
            .await;
        for (scopes, is_enough) in [(json!(others), false), (json!([needed]), true)] {
            let body = json!({ "name": "Caller", "scopes": scopes });
            let (_, caller) = prokura.create(&root, body).await;
            let token = prokura.access_token(&caller).await;
            let reply = operation.call(&prokura, &target.id, Some(&token)).await;
            if is_enough {
                // Let in, it succeeds, unless it is about a secret or a rotation that is not there.
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

/// P6, G8: about one account of another organization there is nothing to be said; about all accounts, one's own.
#[tokio::test]
async fn every_operation_stops_at_the_organization() {
    let prokura = start().await;
    let ours = prokura.access_token(&prokura.root).await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let (before, target) = prokura.create(&ours, json!({ "name": "Target" })).await;
    for operation in managed() {
        let reply = operation.call(&prokura, &target.id, Some(&theirs)).await;
        if operation.path.contains("{id}") {
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

/// The exceptions have rules of their own.
#[tokio::test]
async fn every_exception_keeps_its_own_rule() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for operation in operations() {
        if operation.scope.is_some() {
            continue;
        }
        let form = [("grant_type", "client_credentials"), ("token", "x")];
        let request = prokura.request(operation.method.clone(), &operation.path);
        if operation.path.starts_with("/oauth2/") {
            // No client, no answer; a bearer token is no client.
            let anonymous = prokura.send(request.form(&form)).await;
            anonymous.expect_oauth_error(401, "invalid_client");
            let request = prokura.request(operation.method, &operation.path);
            let borne = prokura.send(request.bearer_auth(&token).form(&form)).await;
            borne.expect_oauth_error(401, "invalid_client");
        } else {
            // Nobody is asked for a token, and nobody learns more than the state.
            let reply = prokura.send(request).await.expect(200).json();
            assert_eq!(reply.as_object().unwrap().len(), 1);
            assert!(reply["status"].is_string());
        }
    }
}

/// G19: what is in the document is served, for its methods and no others.
#[tokio::test]
async fn every_path_takes_the_methods_of_the_document() {
    let prokura = start().await;
    let operations = operations();
    for operation in &operations {
        let path = operation.path_of(&prokura.root.id);
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

/// What is served as the document is the document, but for where its server is.
#[tokio::test]
async fn the_document_is_served() {
    let prokura = start().await;
    let mut committed = serde_json::from_str::<Value>(DOCUMENT).unwrap();
    committed["servers"] = json!([{ "url": prokura.issuer }]);
    for path in ["/openapi.json", "/api/openapi.json"] {
        let served = prokura.get(path).await.expect(200);
        assert_eq!(served.json(), committed, "{path}");
    }
}

/// The page that shows it loads nothing that is not served here, and its policy lets in nothing else.
#[tokio::test]
async fn the_reference_page_needs_nobody_else() {
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
        // What is compressed says so.
        let is_gzip = reply.body.starts_with(&[0x1f, 0x8b]);
        assert_eq!(
            reply.headers.contains_key("content-encoding"),
            is_gzip,
            "{path}"
        );
    }
}
