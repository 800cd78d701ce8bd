//! The header itself: one string of a structured field (RFC 9651 §3.3.3), or a 400 that names it.

use reqwest::Method;
use serde_json::json;

use super::{CREATE, everything, operations, with_account};

/// Q3.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_no_string_is_refused() {
    let (prokura, token, account) = with_account().await;
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
            // What may be a key is not repeated.
            assert!(!answer.0.contains("8e03"), "{answer:?}");
        }
    }
    assert_eq!(everything(&prokura).await, before);
}

#[tokio::test]
async fn a_key_is_what_the_string_says() {
    let (prokura, token, account) = with_account().await;
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
    // White space around it does not belong to it.
    assert_eq!(send("  \"a\" ").await, answers[0]);
}

/// B1, G9: who may not come in is told that first.
#[tokio::test]
async fn a_stranger_is_refused_before_his_key_is_looked_at() {
    let (prokura, _, account) = with_account().await;
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

/// Whoever sends the header with everything that he sends is not hindered where it means nothing.
#[tokio::test]
async fn where_it_means_nothing_the_header_is_ignored() {
    let (prokura, token, account) = with_account().await;
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
