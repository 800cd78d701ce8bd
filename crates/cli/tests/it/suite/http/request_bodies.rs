//! The bodies of requests to the management API: members, media type and size (G10, G14, G16).

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::{create, send, start_with_token};

/// G10, A18. A caller cannot set a member that the server chooses. The response names the member.
#[tokio::test]
async fn a_member_that_the_server_chooses_is_refused() {
    let (prokura, token) = start_with_token().await;
    for member in [
        "id",
        "clientId",
        "clientSecret",
        "organizationId",
        "organization",
        "createdAt",
        "updatedAt",
        "createdBy",
        "lastUsedAt",
        "disabled",
        "disabledAt",
        "tokenEpoch",
        "credentials",
        "serviceAccount",
        "sub",
        "scope",
        "Name",
        "NAME",
        "name ",
        "__proto__",
        "constructor",
        "$ref",
        "",
    ] {
        for value in [json!("x"), json!(null), json!({ "name": "x" })] {
            let body = json!({ "name": "CI", member: value });
            create(&prokura, &token, body.to_string())
                .await
                .expect_wrong_field(member);
            // Rotating knows none of these members.
            let path = format!("/service-accounts/{}/rotate-secret", prokura.root.id);
            let body = json!({ member: value });
            prokura
                .api(Method::POST, &path, &token, Some(body))
                .await
                .expect_wrong_field(member);
        }
    }
    // The error repeats only a part of a long member name.
    let body = format!(r#"{{"name":"CI","{}":1}}"#, "x".repeat(10_000));
    let refused = create(&prokura, &token, body).await;
    assert!(refused.expect(400).body.len() < 1000);
    assert_eq!(prokura.count("service_accounts").await, 1);
    prokura.access_token(&prokura.root).await;
}

/// G14. Members of the wrong type. One response names everything that is wrong.
#[tokio::test]
async fn a_value_of_the_wrong_type_is_named() {
    let (prokura, token) = start_with_token().await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "description": "no name" }), "name"),
        (json!({ "name": null }), "name"),
        (json!({ "name": 1 }), "name"),
        (json!({ "name": true }), "name"),
        (json!({ "name": ["CI"] }), "name"),
        (json!({ "name": { "a": "CI" } }), "name"),
        (json!({ "name": "CI", "description": 1 }), "description"),
        (json!({ "name": "CI", "description": [] }), "description"),
        (
            json!({ "name": "CI", "scopes": "management:all" }),
            "scopes",
        ),
        (json!({ "name": "CI", "scopes": {} }), "scopes"),
        (json!({ "name": "CI", "scopes": [1] }), "scopes"),
        (json!({ "name": "CI", "scopes": [null] }), "scopes"),
        (
            json!({ "name": "CI", "scopes": ["management:all", ["a"]] }),
            "scopes",
        ),
        (json!({ "name": "CI", "scopes": [""] }), "scopes"),
        (json!({ "name": "CI", "scopes": ["a b"] }), "scopes"),
        (json!({ "name": "CI", "scopes": ["a\"b"] }), "scopes"),
        (json!({ "name": "CI", "scopes": ["é"] }), "scopes"),
        (json!({ "name": "CI", "scopes": ["unheard-of"] }), "scopes"),
        (
            json!({ "name": "CI", "scopes": ["Management:All"] }),
            "scopes",
        ),
    ] {
        create(&prokura, &token, body.to_string())
            .await
            .expect_wrong_field(field);
    }
    let body = json!({ "name": "", "description": "\u{7}", "scopes": 1, "extra": 1 });
    let refused = create(&prokura, &token, body.to_string()).await;
    let refused = refused.expect_api_error(400, "invalid_request").json();
    let fields = refused["errors"].as_array().unwrap().iter();
    let fields = fields.map(|error| &error["field"]).collect::<Vec<_>>();
    assert_eq!(fields, ["name", "description", "scopes", "extra"]);
    assert_eq!(prokura.count("service_accounts").await, 1);
}

/// G16. A body must be declared as JSON.
#[tokio::test]
async fn the_content_type_must_be_json() {
    let (prokura, token) = start_with_token().await;
    let body = r#"{"name":"CI"}"#;
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("text/json"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/xml"),
        Some("application/merge-patch+json"),
        Some("application/jsonp"),
        Some("application/json-patch+json"),
        Some("application"),
        Some("application/*"),
        Some("json"),
        Some("text/plain, application/json"),
    ] {
        send(&prokura, &token, content_type, body)
            .await
            .expect_api_error(415, "unsupported_media_type");
    }
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        "application/json ; charset=\"utf-8\"",
    ] {
        send(&prokura, &token, Some(content_type), body)
            .await
            .expect(201);
    }
    // The response is JSON whatever `Accept` says.
    for accept in [
        "text/html",
        "application/xml",
        "*/*",
        "application/json;q=0",
        "",
    ] {
        for (method, path, status) in [
            (Method::GET, "/api/v1/service-accounts", 200),
            (Method::GET, "/api/v1/service-accounts/no-id", 400),
            (Method::GET, "/nothing", 404),
        ] {
            let request = prokura
                .request(method, path)
                .bearer_auth(&token)
                .header("accept", accept);
            prokura.send(request).await.expect(status).json();
        }
    }
    // Rotating requires no body. A body must be JSON.
    let path = format!("/api/v1/service-accounts/{}/rotate-secret", prokura.root.id);
    let rotate = || prokura.request(Method::POST, &path).bearer_auth(&token);
    prokura
        .send(rotate().body("{}"))
        .await
        .expect_api_error(415, "unsupported_media_type");
    let labelled = rotate().header(CONTENT_TYPE, "application/json");
    prokura
        .send(labelled.body("{"))
        .await
        .expect_wrong_field("body");
    for content_type in [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
    ] {
        let empty = rotate().header(CONTENT_TYPE, content_type).body("");
        prokura.send(empty).await.expect(200);
    }
    let labelled = rotate().header(CONTENT_TYPE, "application/json");
    prokura.send(labelled.body(" {} ")).await.expect(200);
}

/// G13, G14, G16. A body may have 64 KiB.
#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let (prokura, token) = start_with_token().await;
    let limit = 64 * 1024;
    let body = r#"{"name":"CI"}"#;
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    create(&prokura, &token, padded(limit)).await.expect(201);
    for length in [limit + 1, 2 * limit, 1 << 20] {
        let refused = create(&prokura, &token, padded(length)).await;
        let refused = refused.expect_api_error(413, "request_too_large");
        assert_eq!(refused.header("connection"), "close");
    }
    let deep = "[".repeat(100_000);
    create(&prokura, &token, deep)
        .await
        .expect_api_error(413, "request_too_large");
    let name = json!({ "name": "a".repeat(1 << 20) }).to_string();
    create(&prokura, &token, name)
        .await
        .expect_api_error(413, "request_too_large");
    // The longest values fit, even with every character escaped.
    let escaped = |chars: usize| "\\ud83d\\ude00".repeat(chars);
    let body = format!(
        r#"{{"name":"{}","description":"{}"}}"#,
        escaped(255),
        escaped(1024)
    );
    let created = create(&prokura, &token, body).await.expect(201).json();
    let description: &Value = &created["serviceAccount"]["description"];
    assert_eq!(description, &"😀".repeat(1024));
}
