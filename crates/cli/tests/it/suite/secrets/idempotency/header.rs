//! The syntax of `Idempotency-Key`: one string of a structured field (RFC 9651 §3.3.3). Anything else is a 400 that
//! names the header.

use reqwest::Method;
use serde_json::json;

use super::{CREATE, everything, operations, start_with_account};

/// Q3. A malformed key is refused, and nothing is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_key_is_refused() {
    let (prokura, token, account) = start_with_account().await;
    let authorization = format!("Authorization: Bearer {token}");
    let before = everything(&prokura).await;
    let long = format!("\"{}\"", "k".repeat(256));
    for (path, _, _) in operations(&account) {
        for values in [
            &["8e03"][..],
            &[""],
            &["\""],
            &["\"\""],
            &["\"8e03"],
            &["8e03\""],
            &["'8e03'"],
            &["\"a\"b\""],
            &["\"a\\b\""],
            &["\"a\\\""],
            &["\"a\", \"b\""],
            &["\"a\";b=1"],
            &["(\"a\")"],
            &[":YQ==:"],
            &["?1"],
            &["@1"],
            &["%\"a\""],
            &["\"a\tb\""],
            &["\"\u{e9}\""],
            &[&long],
            &["\"a\"", "\"a\""],
            &["\"a\"", "\"b\""],
            &["\"a\"", ""],
        ] {
            let mut lines = vec![authorization.clone()];
            lines.extend(
                values
                    .iter()
                    .map(|value| format!("Idempotency-Key: {value}")),
            );
            lines.push("Content-Type: application/json".to_owned());
            let lines = lines.iter().map(String::as_str).collect::<Vec<_>>();
            let request = format!("POST /api/v1{path}");
            let answer = prokura.wire_request(&request, &lines).await;
            assert_eq!(answer.status(), 400, "{values:?} {answer:?}");
            let body = serde_json::from_str::<serde_json::Value>(answer.body()).unwrap();
            assert_eq!(body["errors"][0]["field"], "Idempotency-Key", "{values:?}");
            // The error does not repeat the value, which may be a key.
            assert!(!answer.0.contains("8e03"), "{answer:?}");
        }
    }
    assert_eq!(everything(&prokura).await, before);
}

#[tokio::test]
async fn keys_are_compared_exactly() {
    let (prokura, token, account) = start_with_account().await;
    let send = async |value: &str| {
        let path = format!("/api/v1{}", super::rotation_of(&account));
        let request = prokura.request(Method::POST, &path).bearer_auth(&token);
        let request = request.header("idempotency-key", value);
        prokura.send(request).await.expect(200).fingerprint()
    };
    let long = format!("\"{}\"", "k".repeat(255));
    let mut answers = Vec::new();
    for value in ["\"a\"", "\"a \"", "\"A\"", r#""a\"b""#, r#""a\\b""#, &long] {
        let answer = send(value).await;
        assert_eq!(send(value).await, answer, "{value}");
        assert!(!answers.contains(&answer), "{value}");
        answers.push(answer);
    }
    // White space around the value is not part of it.
    assert_eq!(send("  \"a\" ").await, answers[0]);
}

/// B1, G9. Authentication and authorization are checked before the key.
#[tokio::test]
async fn authentication_is_checked_before_the_key() {
    let (prokura, _, account) = start_with_account().await;
    let form = [("scope", "management:service-accounts:read")];
    let reader = prokura.access_token_with(&prokura.root, &form).await;
    for (path, _, _) in operations(&account) {
        let request = || {
            let request = prokura.request(Method::POST, &format!("/api/v1{path}"));
            request.header("idempotency-key", "no string")
        };
        let reply = prokura.send(request()).await;
        reply.expect_api_error(401, "unauthorized");
        let reply = prokura.send(request().bearer_auth(&reader)).await;
        reply.expect_api_error(403, "insufficient_scope");
    }
}

/// A client may send the header with every request. Other operations ignore it.
#[tokio::test]
async fn other_operations_ignore_the_key() {
    let (prokura, token, account) = start_with_account().await;
    let path = format!("/api/v1/service-accounts/{}", account.id);
    let grace = json!({ "gracePeriodSeconds": 60 });
    for value in ["no string", "\"a\""] {
        prokura
            .api(
                Method::POST,
                &super::rotation_of(&account),
                &token,
                Some(grace.clone()),
            )
            .await
            .expect(200);
        for (method, path, status) in [
            (Method::GET, format!("/api/v1{CREATE}"), 200),
            (Method::GET, path.clone(), 200),
            (Method::POST, format!("{path}/cancel-rotation"), 200),
            (Method::POST, format!("{path}/cancel-rotation"), 409),
            (Method::POST, format!("{path}/revoke-tokens"), 204),
        ] {
            let request = prokura.request(method, &path).bearer_auth(&token);
            let request = request.header("idempotency-key", value);
            prokura.send(request).await.expect(status);
        }
    }
}
