//! The audit events in the database (G24, P7). `audit/events.rs` tests what the API shows of them.
//!
//! `failures.rs` tests that the event is written in the transaction of the change.

use aws_lc_rs::digest::{Context, SHA256};
use reqwest::Method;
use serde_json::{Value, json};

use super::{start, start_with_token};
use crate::harness::{NOON, Prokura, Reply};

const EVENTS: &str = "SELECT a.sequence, a.at, a.actor, a.action, a.target, a.request_id, a.address, a.detail, \
                      a.previous_hash, a.organization_id FROM audit_events a \
                      JOIN organizations o ON o.id = a.organization_id WHERE o.name = 'Acme' ORDER BY a.sequence";

async fn events(prokura: &Prokura) -> Vec<Vec<Value>> {
    prokura.rows(EVENTS).await
}

/// Calls an operation with its own request ID.
async fn call(
    prokura: &Prokura,
    request_id: &str,
    method: Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> Reply {
    let path = format!("/api/v1/service-accounts{path}");
    let mut request = prokura
        .request(method, &path)
        .bearer_auth(token)
        .header("x-request-id", request_id);
    if let Some(body) = body {
        request = request.json(&body);
    }
    prokura.send(request).await
}

/// P7, G24. Each change writes one event: who, what, on which account, when, from where, and with which request.
#[tokio::test]
async fn every_change_has_one_event() {
    let prokura = start().await;
    let root = prokura.root.clone();
    let token = prokura.access_token(&root).await;
    let begin = events(&prokura).await.len();
    assert_eq!(begin, 2, "the organization and its first account");

    prokura.advance(1);
    let body = json!({ "name": "CI \"Pipeline\"", "description": "one\ntwo", "scopes": ["tokens:introspect", "management:all"] });
    let created = call(&prokura, "request-1", Method::POST, "", &token, Some(body))
        .await
        .expect(201)
        .json();
    let id = created["serviceAccount"]["id"].as_str().unwrap();
    let first_secret = created["credentials"]["clientSecret"].as_str().unwrap();

    prokura.advance(1);
    let path = format!("/{id}/rotate-secret");
    let rotated = call(&prokura, "request-2", Method::POST, &path, &token, None).await;
    let rotated = rotated.expect(200).json();
    let second_secret = rotated["credentials"]["clientSecret"].as_str().unwrap();
    let path = format!("/{id}/secrets");
    let listed = call(&prokura, "no-change", Method::GET, &path, &token, None).await;
    let second_id = listed.expect(200).json()["items"][0]["id"].clone();

    // The account revokes its token, and revokes it again without effect.
    prokura.advance(1);
    let revoked = prokura.access_token(&root).await;
    let jti = prokura.introspect(&root, &revoked).await["jti"].clone();
    for request_id in ["request-3", "request-3-again"] {
        let request = prokura
            .request(Method::POST, "/oauth2/revoke")
            .header("authorization", root.basic())
            .header("x-request-id", request_id)
            .form(&[("token", &revoked)]);
        prokura.send(request).await.expect(200);
    }

    prokura.advance(1);
    let path = format!("/{id}");
    call(&prokura, "request-4", Method::DELETE, &path, &token, None)
        .await
        .expect(204);

    // None of these changes anything.
    for (method, path) in [
        (Method::DELETE, &*path),
        (Method::GET, ""),
        (Method::POST, ""),
        (Method::GET, &path),
        (Method::POST, "/no-id/rotate-secret"),
    ] {
        call(&prokura, "no-change", method, path, &token, None).await;
    }
    call(&prokura, "no-change", Method::DELETE, &path, "x", None).await;

    let events = events(&prokura).await;
    let shown = events[begin..]
        .iter()
        .map(|event| event[1..8].to_vec())
        .collect::<Vec<_>>();
    let event = |number: i64, action: &str, target: &Value, detail: &str| {
        vec![
            json!(NOON + number),
            json!(root.id),
            json!(action),
            target.clone(),
            json!(format!("request-{number}")),
            json!("127.0.0.1"),
            json!(detail),
        ]
    };
    let created_detail = r#"{"description":"one\ntwo","name":"CI \"Pipeline\"","scopes":"management:all tokens:introspect"}"#;
    let hint = format!(
        r#"{{"hint":"{}","secretId":{second_id}}}"#,
        &second_secret[second_secret.len() - 4..]
    );
    assert_eq!(
        shown,
        [
            event(1, "create_service_account", &json!(id), created_detail),
            event(2, "rotate_secret", &json!(id), &hint),
            event(3, "revoke_token", &jti, "{}"),
            event(4, "delete_service_account", &json!(id), "{}"),
        ]
    );
    let all = format!("{events:?}");
    for secret in [
        first_secret,
        second_secret,
        &token,
        &revoked,
        &root.client_secret,
    ] {
        assert!(!all.contains(secret));
        assert!(!all.contains(&secret[4..20]));
    }
}

/// P7. Each event has the hash of the one before, and the organization has the hash of the last. The test computes them
/// from the rows alone, as an auditor would.
#[tokio::test]
async fn the_events_of_an_organization_are_a_chain() {
    let (prokura, token) = start_with_token().await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    // Both organizations in turn. Each has its own chain.
    for name in ["One", "Two", "Three"] {
        let (_, account) = prokura.create(&token, json!({ "name": name })).await;
        prokura.create(&theirs, json!({ "name": name })).await;
        prokura.advance(10);
        prokura.rotate(&token, &account.id).await;
        prokura.delete(&token, &account.id).await;
    }
    for (organization, length) in [("Acme", 11), ("Other", 5)] {
        let sql = EVENTS.replace("Acme", organization);
        let events = prokura.rows(&sql).await;
        assert_eq!(events.len(), length);
        let mut previous = "00".repeat(32);
        for (at, event) in events.iter().enumerate() {
            assert_eq!(event[0], json!(at + 1));
            assert_eq!(event[8], json!(previous));
            previous = hash(event);
        }
        let head = format!(
            "SELECT audit_sequence, audit_hash FROM organizations WHERE name = '{organization}'"
        );
        assert_eq!(
            prokura.rows(&head).await,
            [[json!(length), json!(previous)]]
        );
    }
}

fn hash(event: &[Value]) -> String {
    let mut context = Context::new(&SHA256);
    let mut field = |bytes: &[u8]| {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    let text = |column: usize| event[column].as_str().unwrap_or_default();
    let number = |column: usize| event[column].as_i64().unwrap().to_be_bytes();
    field(b"prokura audit event v1");
    field(&base16ct::lower::decode_vec(text(8)).unwrap());
    field(&base16ct::lower::decode_vec(text(9)).unwrap());
    field(&number(0));
    field(&number(1));
    for column in 2..7 {
        field(text(column).as_bytes());
    }
    let detail = serde_json::from_str::<Value>(text(7)).unwrap();
    let detail = detail.as_object().unwrap();
    field(&(detail.len() as u64).to_be_bytes());
    for (name, value) in detail {
        field(name.as_bytes());
        field(value.as_str().unwrap().as_bytes());
    }
    base16ct::lower::encode_string(context.finish().as_ref())
}
