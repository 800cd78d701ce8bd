//! Entity tags of accounts, and conditional requests (G21; RFC 9110 §13).

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{start_with_account, start_with_token};
use crate::harness::{Prokura, Reply};

async fn send(
    prokura: &Prokura,
    token: &str,
    (method, path): (Method, &str),
    header: (&str, &str),
    body: Option<&Value>,
) -> Reply {
    let path = format!("/api/v1/service-accounts/{path}");
    let mut request = prokura
        .request(method, &path)
        .bearer_auth(token)
        .header(header.0, header.1);
    if let Some(body) = body {
        request = request.json(body);
    }
    prokura.send(request).await
}

async fn get(prokura: &Prokura, token: &str, id: &str) -> Reply {
    let reply = prokura.try_get_account(token, id).await;
    reply.expect(200)
}

/// Every operation that changes an account: method, path behind the ID, and a body if one is required.
fn changes(secret_id: &str) -> Vec<(Method, String, Option<Value>)> {
    vec![
        (Method::PATCH, String::new(), Some(json!({ "name": "new" }))),
        (Method::POST, "/rotate-secret".to_owned(), None),
        (Method::POST, "/secrets".to_owned(), None),
        (Method::POST, "/cancel-rotation".to_owned(), None),
        (Method::POST, "/revoke-tokens".to_owned(), None),
        (Method::DELETE, format!("/secrets/{secret_id}"), None),
        (Method::DELETE, String::new(), None),
    ]
}

/// Creates an account with a pending rotation, so that every change is possible: its ID, its entity tag, and the ID of a
/// secret.
async fn ready(prokura: &Prokura, token: &str) -> (String, String, String) {
    let (_, account) = prokura.create(token, json!({ "name": "CI" })).await;
    let path = format!("/service-accounts/{}", account.id);
    let grace = json!({ "gracePeriodSeconds": 3600 });
    let rotate = format!("{path}/rotate-secret");
    let rotated = prokura.api(Method::POST, &rotate, token, Some(grace)).await;
    let tag = rotated.expect(200).header("etag").to_owned();
    let secrets = format!("{path}/secrets");
    let secrets = prokura.api(Method::GET, &secrets, token, None).await.json();
    let secret = secrets["items"][1]["id"].as_str().unwrap().to_owned();
    (account.id, tag, secret)
}

/// G21.
#[tokio::test]
async fn every_change_of_an_account_changes_its_entity_tag() {
    let (prokura, token) = start_with_token().await;
    let body = json!({ "name": "CI" });
    let path = "/service-accounts";
    let created = prokura.api(Method::POST, path, &token, Some(body)).await;
    let id = created.json()["serviceAccount"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut tags = vec![created.header("etag").to_owned()];
    assert_eq!(get(&prokura, &token, &id).await.header("etag"), tags[0]);
    let grace = Some(json!({ "gracePeriodSeconds": 60 }));
    for (method, behind, body) in [
        (Method::PATCH, "", Some(json!({ "owner": "Platform" }))),
        (Method::POST, "/rotate-secret", grace),
        (Method::POST, "/cancel-rotation", None),
    ] {
        let path = format!("/service-accounts/{id}{behind}");
        let reply = prokura.api(method, &path, &token, body).await.expect(200);
        let tag = reply.header("etag").to_owned();
        assert_eq!(get(&prokura, &token, &id).await.header("etag"), tag);
        assert!(tag.starts_with('"') && tag.ends_with('"'), "strong: {tag}");
        assert!(!tags.contains(&tag));
        tags.push(tag);
    }
    // The responses of these do not show the account.
    for (method, behind) in [(Method::POST, "secrets"), (Method::POST, "revoke-tokens")] {
        let path = format!("/service-accounts/{id}/{behind}");
        prokura.api(method, &path, &token, None).await;
        let tag = get(&prokura, &token, &id).await.header("etag").to_owned();
        assert!(!tags.contains(&tag));
        tags.push(tag);
    }
}

/// G21. With a stale tag every change is refused. With the current tag it happens.
#[tokio::test]
async fn a_change_with_a_stale_entity_tag_is_refused() {
    let (prokura, token) = start_with_token().await;
    let (_, _, secret) = ready(&prokura, &token).await;
    for number in 0..changes(&secret).len() {
        let (id, tag, secret) = ready(&prokura, &token).await;
        let (method, behind, body) = changes(&secret).swap_remove(number);
        let path = format!("{id}{behind}");
        let before = get(&prokura, &token, &id).await;
        let weak = format!("W/{tag}");
        for stale in ["\"1.0\"", "\"\"", "\"another's\"", &weak, "\"9\", \"x,y\""] {
            let target = (method.clone(), &*path);
            let reply = send(&prokura, &token, target, ("if-match", stale), body.as_ref()).await;
            reply.expect_api_error(412, "precondition_failed");
        }
        assert_eq!(get(&prokura, &token, &id).await.body, before.body);
        let malformed = tag.trim_matches('"');
        let target = (method.clone(), &*path);
        let reply = send(
            &prokura,
            &token,
            target,
            ("if-match", malformed),
            body.as_ref(),
        )
        .await;
        reply.expect_wrong_field("If-Match");
        let one_of = format!("\"0.0\" , {tag}");
        let target = (method.clone(), &*path);
        let reply = send(
            &prokura,
            &token,
            target,
            ("if-match", &one_of),
            body.as_ref(),
        )
        .await;
        assert!(
            (200..300).contains(&reply.status),
            "{method} {path} {reply:?}"
        );
    }
}

/// G21. `*` matches every existing account, and a missing account is a 404.
#[tokio::test]
async fn a_star_matches_every_existing_account() {
    let (prokura, token) = start_with_token().await;
    let nobody = "01930a3e-7b1c-7def-8000-0123456789ab";
    let (_, _, secret) = ready(&prokura, &token).await;
    for number in 0..changes(&secret).len() {
        let (id, _, secret) = ready(&prokura, &token).await;
        let (method, behind, body) = changes(&secret).swap_remove(number);
        let path = format!("{id}{behind}");
        let target = (method.clone(), &*path);
        let reply = send(&prokura, &token, target, ("if-match", "*"), body.as_ref()).await;
        assert!((200..300).contains(&reply.status), "{reply:?}");
        for condition in ["*", "\"1.0\""] {
            let path = format!("{nobody}{behind}");
            let target = (method.clone(), &*path);
            let reply = send(
                &prokura,
                &token,
                target,
                ("if-match", condition),
                body.as_ref(),
            )
            .await;
            reply.expect_api_error(404, "service_account_not_found");
        }
    }
}

/// G21. Use does not count as a change: a client may change an account that was used since the client read it. The tag still
/// changes, because `lastUsedAt` does.
#[tokio::test]
async fn use_changes_the_entity_tag_but_does_not_block_a_change() {
    let (prokura, token, account) = start_with_account().await;
    let before = get(&prokura, &token, &account.id).await;
    prokura.advance(1000);
    prokura.access_token(&account).await;
    let after = get(&prokura, &token, &account.id).await;
    assert_ne!(before.header("etag"), after.header("etag"));
    let target = (Method::PATCH, &*account.id);
    let condition = ("if-match", before.header("etag"));
    let body = json!({ "name": "new" });
    let reply = send(&prokura, &token, target, condition, Some(&body)).await;
    reply.expect(200);
}

/// G21. RFC 9110 §13.1.2: `If-None-Match` gives 304.
#[tokio::test]
async fn an_unchanged_account_is_a_304() {
    let (prokura, token, account) = start_with_account().await;
    let tag = get(&prokura, &token, &account.id).await;
    let tag = tag.header("etag");
    let weak = format!("W/{tag}");
    for known in [tag, "*", &weak] {
        let target = (Method::GET, &*account.id);
        let reply = send(&prokura, &token, target, ("if-none-match", known), None).await;
        let reply = reply.expect(304);
        assert!(reply.body.is_empty());
        assert_eq!(reply.header("etag"), tag);
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let target = (Method::GET, &*account.id);
    let reply = send(&prokura, &token, target, ("if-none-match", "\"0.0\""), None).await;
    reply.expect(200);
}

/// G21. Only one of several changes with the same tag succeeds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_conditional_changes_exactly_one_succeeds() {
    let (prokura, token, account) = start_with_account().await;
    let tag = get(&prokura, &token, &account.id).await;
    let rotate = format!("{}/rotate-secret", account.id);
    let bodies = (0..10).map(|number| json!({ "name": format!("CI {number}") }));
    let bodies = bodies.collect::<Vec<_>>();
    let patches = bodies.iter().map(|body| {
        let condition = ("if-match", tag.header("etag"));
        let target = (Method::PATCH, &*account.id);
        send(&prokura, &token, target, condition, Some(body))
    });
    let rotations = (0..10).map(|_| {
        let condition = ("if-match", tag.header("etag"));
        send(&prokura, &token, (Method::POST, &rotate), condition, None)
    });
    let (patched, rotated) = tokio::join!(join_all(patches), join_all(rotations));
    let mut statuses = [patched, rotated].concat();
    statuses.sort_by_key(|reply| reply.status);
    statuses.remove(0).expect(200);
    for refused in statuses {
        refused.expect_api_error(412, "precondition_failed");
    }
}
