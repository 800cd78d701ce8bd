//! Token revocation (section V; RFC 7009).

use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::json;

use super::{DATABASE, start, start_with};
use crate::harness::{Credentials, Database, Options, Prokura, Reply};

const REVOKE: &str = "/oauth2/revoke";

/// The two formats of tokens for the management API.
fn formats() -> [Options; 2] {
    [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ]
    .map(Options::with_format)
}

async fn revoke(prokura: &Prokura, client: &Credentials, token: &str) -> Reply {
    prokura.form(REVOKE, client, &[("token", token)]).await
}

async fn create(prokura: &Prokura, client: &Credentials, name: &str) -> Credentials {
    let token = prokura.access_token(client).await;
    prokura.create(&token, json!({ "name": name })).await.1
}

async fn assert_active(prokura: &Prokura, observer: &Credentials, token: &str) {
    assert_eq!(prokura.introspect(observer, token).await["active"], true);
    let list = prokura.api(Method::GET, "/service-accounts", token, None);
    list.await.expect(200);
}

async fn assert_inactive(prokura: &Prokura, observer: &Credentials, token: &str) {
    assert_eq!(
        prokura.introspect(observer, token).await,
        json!({ "active": false })
    );
    let reply = prokura
        .api(Method::GET, "/service-accounts", token, None)
        .await
        .expect_api_error(401, "invalid_token");
    let challenge = reply.header("www-authenticate");
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
}

/// V1. Revocation takes effect at once, for both formats, and for this one token only.
#[tokio::test]
async fn a_revoked_token_stops_working_at_once() {
    for options in formats() {
        let prokura = start_with(options).await;
        let root = &prokura.root;
        let (token, another) = (
            prokura.access_token(root).await,
            prokura.access_token(root).await,
        );
        assert_active(&prokura, root, &token).await;
        let reply = revoke(&prokura, root, &token).await.expect(200);
        assert!(reply.body.is_empty());
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_inactive(&prokura, root, &token).await;
        assert_active(&prokura, root, &another).await;
        // The client can still get new tokens.
        let token = prokura.access_token(root).await;
        assert_active(&prokura, root, &token).await;
    }
}

/// V1. The credentials may be in the body.
#[tokio::test]
async fn a_client_may_authenticate_in_the_body() {
    let prokura = start().await;
    let root = &prokura.root;
    let token = prokura.access_token(root).await;
    let body = format!(
        "token={token}&client_id={}&client_secret={}",
        root.client_id, root.client_secret
    );
    prokura.raw_form(REVOKE, &[], &body).await.expect(200);
    assert_inactive(&prokura, root, &token).await;
}

/// V2. RFC 7009 §2.2: revoking an invalid token is a success.
#[tokio::test]
async fn revoking_an_invalid_token_succeeds() {
    for options in formats() {
        let prokura = start_with(options).await;
        let root = &prokura.root;
        let token = prokura.access_token(root).await;
        let expired = prokura.access_token(root).await;
        for _ in 0..3 {
            revoke(&prokura, root, &token).await.expect(200);
        }
        assert_inactive(&prokura, root, &token).await;
        for unknown in [
            "unknown",
            "prka_",
            "prka_AAAA",
            "a.b.c",
            "..",
            &token[..token.len() - 1],
            &format!("{token}A"),
            &root.client_secret,
            &"x".repeat(9000),
            "\u{1f511}",
            "' OR 1=1--",
        ] {
            revoke(&prokura, root, unknown).await.expect(200);
        }
        prokura.advance(3600 * 1000);
        for _ in 0..2 {
            revoke(&prokura, root, &expired).await.expect(200);
            revoke(&prokura, root, &token).await.expect(200);
        }
        assert_inactive(&prokura, root, &expired).await;
    }
}

/// V3. The parameter `token` must be there exactly once.
#[tokio::test]
async fn a_revocation_request_names_exactly_one_token() {
    let prokura = start().await;
    let root = &prokura.root;
    let token = prokura.access_token(root).await;
    for body in [
        String::new(),
        "token=".to_owned(),
        "token".to_owned(),
        format!("Token={token}"),
        format!("access_token={token}"),
        format!("token={token}&token={token}"),
        format!("token={token}&token="),
        format!("token={token}&token_type_hint=a&token_type_hint=b"),
        format!("token={token}%00"),
        "token=%zz".to_owned(),
        "token=%ff".to_owned(),
    ] {
        prokura
            .raw_form(REVOKE, &[("authorization", &root.basic())], &body)
            .await
            .expect_oauth_error(400, "invalid_request");
    }
    let path = format!("{REVOKE}?token={token}");
    prokura
        .raw_form(&path, &[("authorization", &root.basic())], "")
        .await
        .expect_oauth_error(400, "invalid_request");
    let json = prokura
        .request(Method::POST, REVOKE)
        .header("authorization", root.basic())
        .json(&json!({ "token": token }));
    prokura
        .send(json)
        .await
        .expect_oauth_error(400, "invalid_request");
    assert_active(&prokura, root, &token).await;
}

/// V4. RFC 7009 §2.1: a wrong hint changes nothing.
#[tokio::test]
async fn a_wrong_token_type_hint_changes_nothing() {
    let prokura = start().await;
    let root = &prokura.root;
    for hint in ["access_token", "refresh_token", "foo", "", "\u{1f511}"] {
        let token = prokura.access_token(root).await;
        let form = [("token_type_hint", hint), ("token", &*token)];
        prokura.form(REVOKE, root, &form).await.expect(200);
        assert_inactive(&prokura, root, &token).await;
    }
}

/// V5. The token of the other client stays active, and the response does not tell that it exists.
#[tokio::test]
async fn a_client_cannot_revoke_the_token_of_another_client() {
    for options in formats() {
        let prokura = start_with(options).await;
        let root = &prokura.root;
        let colleague = create(&prokura, root, "Colleague").await;
        let stranger = prokura.bootstrap("Globex").await;
        let token = prokura.access_token(&colleague).await;
        for other in [root, &stranger] {
            let reply = revoke(&prokura, other, &token).await.expect(200);
            let unknown = revoke(&prokura, other, "unknown").await.expect(200);
            assert_eq!(reply.body, unknown.body);
            let headers = |reply: &Reply| {
                let mut headers = reply.headers.clone();
                headers.remove("x-request-id");
                headers.remove("date");
                headers
            };
            assert_eq!(headers(&reply), headers(&unknown));
            assert_active(&prokura, root, &token).await;
        }
        revoke(&prokura, &colleague, &token).await.expect(200);
        assert_inactive(&prokura, root, &token).await;
    }
}

/// V6, A2. Only authenticated clients may revoke, and only by POST.
#[tokio::test]
async fn revocation_requires_client_authentication() {
    let prokura = start().await;
    let root = &prokura.root;
    let token = prokura.access_token(root).await;
    let deleted = create(&prokura, root, "Deleted").await;
    prokura.delete(&token, &deleted.id).await;
    let wrong = Credentials {
        client_secret: deleted.client_secret.clone(),
        ..root.clone()
    };
    for client in [&deleted, &wrong, &Credentials::default()] {
        revoke(&prokura, client, &token)
            .await
            .expect_oauth_error(401, "invalid_client");
    }
    let (form, bearer) = (format!("token={token}"), format!("Bearer {token}"));
    for headers in [&[][..], &[("authorization", &*bearer)]] {
        prokura
            .raw_form(REVOKE, headers, &form)
            .await
            .expect_oauth_error(401, "invalid_client");
    }
    let jsonp = format!("{REVOKE}?token={token}&callback=found");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = prokura
            .request(method, &jsonp)
            .header("authorization", root.basic());
        let reply = prokura.send(request).await;
        let reply = reply.expect_oauth_error(405, "method_not_allowed");
        assert_eq!(reply.header("allow"), "POST");
        assert!(!String::from_utf8_lossy(&reply.body).contains("found"));
    }
    assert_active(&prokura, root, &token).await;
}

/// V7. Without a store the server answers 503, and the client may try again.
#[tokio::test]
async fn a_revocation_that_cannot_be_stored_answers_503() {
    let prokura = start().await;
    let root = &prokura.root;
    // The first call that fails is the look-up of the client or the write itself.
    for calls in [0, 1] {
        let token = prokura.access_token(root).await;
        prokura.watch.fail_after(calls);
        let reply = revoke(&prokura, root, &token).await;
        prokura.watch.mend();
        if calls == 1 && reply.status == 200 {
            // The client was cached, so the one call that succeeded was the write.
            assert_inactive(&prokura, root, &token).await;
            continue;
        }
        let reply = reply.expect_oauth_error(503, "temporarily_unavailable");
        assert_eq!(reply.header("retry-after"), "5");
        revoke(&prokura, root, &token).await.expect(200);
        assert_inactive(&prokura, root, &token).await;
    }
}

/// V8. A revocation is durable.
#[tokio::test]
async fn a_revocation_survives_a_restart() {
    for format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let options = || Options::with_format(format);
        let prokura = start_with(options()).await;
        let (token, another) = (
            prokura.access_token(&prokura.root).await,
            prokura.access_token(&prokura.root).await,
        );
        revoke(&prokura, &prokura.root, &token).await.expect(200);
        let prokura = prokura.restart(options()).await;
        assert_inactive(&prokura, &prokura.root, &token).await;
        assert_active(&prokura, &prokura.root, &another).await;
        // It survives the sweep of expired revocations too.
        prokura.authority.sweep().await.unwrap();
        assert_inactive(&prokura, &prokura.root, &token).await;
        let prokura = prokura.restart(options()).await;
        assert_inactive(&prokura, &prokura.root, &token).await;
        prokura.advance(3600 * 1000);
        prokura.authority.sweep().await.unwrap();
        assert_inactive(&prokura, &prokura.root, &token).await;
    }
}

/// V8. Another node knows the revocation without delay. On SQLite there is only one node.
#[tokio::test]
async fn a_revocation_reaches_every_node_at_once() {
    if DATABASE == Database::Sqlite {
        return;
    }
    for format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let options = || Options::with_format(format);
        let here = start_with(options()).await;
        let there = here.another_node(options()).await;
        for (from, to) in [(&here, &there), (&there, &here)] {
            let token = from.access_token(&here.root).await;
            assert_active(to, &here.root, &token).await;
            revoke(from, &here.root, &token).await.expect(200);
            assert_inactive(to, &here.root, &token).await;
            assert_inactive(from, &here.root, &token).await;
        }
    }
}

/// V8. A node keeps a revocation until the token has expired on every node, not only by its own clock.
#[tokio::test]
async fn a_revoked_token_stays_invalid_on_a_node_whose_clock_is_behind() {
    if DATABASE == Database::Sqlite {
        return;
    }
    let ahead = start().await;
    let behind = ahead.another_node(Options::default()).await;
    let token = ahead.access_token(&ahead.root).await;
    revoke(&ahead, &ahead.root, &token).await.expect(200);
    ahead.advance(3600 * 1000);
    behind.advance(3600 * 1000 - 30_000);
    ahead.authority.sweep().await.unwrap();
    assert_inactive(&behind, &ahead.root, &token).await;

    // The node also accepts the revocation of a token that has just expired by its own clock.
    let token = behind.access_token(&ahead.root).await;
    behind.advance(3600 * 1000 - 1);
    ahead.advance(3600 * 1000 - 30_000);
    assert_eq!(
        ahead.introspect(&ahead.root, &token).await,
        json!({ "active": false })
    );
    assert_active(&behind, &ahead.root, &token).await;
    revoke(&ahead, &ahead.root, &token).await.expect(200);
    assert_inactive(&behind, &ahead.root, &token).await;
}
