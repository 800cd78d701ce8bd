//! Revocation (section V).

use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::json;

use super::{DATABASE, start, start_with};
use crate::harness::{Credentials, Database, Options, Prokura, Reply};

const REVOKE: &str = "/oauth2/revoke";

/// Both formats of tokens for the management API.
fn formats() -> [Options; 2] {
    [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ]
    .map(|management_format| Options {
        management_format,
        ..Options::default()
    })
}

async fn revoke(prokura: &Prokura, client: &Credentials, token: &str) -> Reply {
    prokura.form(REVOKE, client, &[("token", token)]).await
}

async fn create(prokura: &Prokura, client: &Credentials, name: &str) -> Credentials {
    let token = prokura.access_token(client).await;
    prokura.create(&token, json!({ "name": name })).await.1
}

async fn assert_alive(prokura: &Prokura, observer: &Credentials, token: &str) {
    assert_eq!(prokura.introspect(observer, token).await["active"], true);
    let list = prokura.api(Method::GET, "/service-accounts", token, None);
    list.await.expect(200);
}

async fn assert_dead(prokura: &Prokura, observer: &Credentials, token: &str) {
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

/// V1: at once, in both formats; and this one token only.
#[tokio::test]
async fn a_revoked_token_is_dead_at_once() {
    for options in formats() {
        let prokura = start_with(options).await;
        let root = &prokura.root;
        let (token, another) = (
            prokura.access_token(root).await,
            prokura.access_token(root).await,
        );
        assert_alive(&prokura, root, &token).await;
        let reply = revoke(&prokura, root, &token).await.expect(200);
        assert!(reply.body.is_empty());
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_dead(&prokura, root, &token).await;
        assert_alive(&prokura, root, &another).await;
        // The client still gets new ones.
        let token = prokura.access_token(root).await;
        assert_alive(&prokura, root, &token).await;
    }
}

/// V1: with the credentials in the body as well.
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
    assert_dead(&prokura, root, &token).await;
}

/// V2: RFC 7009 §2.2: what is dead already is a success.
#[tokio::test]
async fn what_is_no_living_token_is_revoked_with_success() {
    for options in formats() {
        let prokura = start_with(options).await;
        let root = &prokura.root;
        let token = prokura.access_token(root).await;
        let expired = prokura.access_token(root).await;
        for _ in 0..3 {
            revoke(&prokura, root, &token).await.expect(200);
        }
        assert_dead(&prokura, root, &token).await;
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
        assert_dead(&prokura, root, &expired).await;
    }
}

/// V3.
#[tokio::test]
async fn a_request_names_one_token() {
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
    assert_alive(&prokura, root, &token).await;
}

/// V4: RFC 7009 §2.1: a wrong hint changes nothing.
#[tokio::test]
async fn a_hint_changes_nothing() {
    let prokura = start().await;
    let root = &prokura.root;
    for hint in ["access_token", "refresh_token", "foo", "", "\u{1f511}"] {
        let token = prokura.access_token(root).await;
        let form = [("token_type_hint", hint), ("token", &*token)];
        prokura.form(REVOKE, root, &form).await.expect(200);
        assert_dead(&prokura, root, &token).await;
    }
}

/// V5: another's token stays alive, and who tries learns nothing.
#[tokio::test]
async fn nobody_revokes_anothers_token() {
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
            assert_alive(&prokura, root, &token).await;
        }
        revoke(&prokura, &colleague, &token).await.expect(200);
        assert_dead(&prokura, root, &token).await;
    }
}

/// V6, A2: only clients, and only by POST.
#[tokio::test]
async fn who_is_no_client_revokes_nothing() {
    let prokura = start().await;
    let root = &prokura.root;
    let token = prokura.access_token(root).await;
    let deleted = create(&prokura, root, "Deleted").await;
    let path = format!("/service-accounts/{}", deleted.id);
    prokura
        .api(Method::DELETE, &path, &token, None)
        .await
        .expect(204);
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
    assert_alive(&prokura, root, &token).await;
}

/// V7: without a store there is no success to report, and trying again later helps.
#[tokio::test]
async fn a_revocation_that_cannot_be_kept_is_not_reported_as_done() {
    let prokura = start().await;
    let root = &prokura.root;
    // The first call that fails is the look-up of the client, or the write itself.
    for calls in [0, 1] {
        let token = prokura.access_token(root).await;
        prokura.watch.fail_after(calls);
        let reply = revoke(&prokura, root, &token).await;
        prokura.watch.mend();
        if calls == 1 && reply.status == 200 {
            // The client was remembered, so the one call that was let through was the write.
            assert_dead(&prokura, root, &token).await;
            continue;
        }
        let reply = reply.expect_oauth_error(503, "temporarily_unavailable");
        assert_eq!(reply.header("retry-after"), "5");
        revoke(&prokura, root, &token).await.expect(200);
        assert_dead(&prokura, root, &token).await;
    }
}

/// V8: a revocation is kept like everything else that was acknowledged.
#[tokio::test]
async fn a_revocation_survives_a_restart() {
    for format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let options = || Options {
            management_format: format,
            ..Options::default()
        };
        let prokura = start_with(options()).await;
        let (token, another) = (
            prokura.access_token(&prokura.root).await,
            prokura.access_token(&prokura.root).await,
        );
        revoke(&prokura, &prokura.root, &token).await.expect(200);
        let prokura = prokura.restart(options()).await;
        assert_dead(&prokura, &prokura.root, &token).await;
        assert_alive(&prokura, &prokura.root, &another).await;
        // Also when what has expired has been swept; this has not.
        prokura.authority.sweep().await.unwrap();
        assert_dead(&prokura, &prokura.root, &token).await;
        let prokura = prokura.restart(options()).await;
        assert_dead(&prokura, &prokura.root, &token).await;
        prokura.advance(3600 * 1000);
        prokura.authority.sweep().await.unwrap();
        assert_dead(&prokura, &prokura.root, &token).await;
    }
}

/// V8: the time to reach another node is none. On SQLite there is no other node.
#[tokio::test]
async fn a_revocation_reaches_every_node_at_once() {
    if DATABASE == Database::Sqlite {
        return;
    }
    for format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let options = || Options {
            management_format: format,
            ..Options::default()
        };
        let here = start_with(options()).await;
        let there = here.another_node(options()).await;
        for (from, to) in [(&here, &there), (&there, &here)] {
            let token = from.access_token(&here.root).await;
            assert_alive(to, &here.root, &token).await;
            revoke(from, &here.root, &token).await.expect(200);
            assert_dead(to, &here.root, &token).await;
            assert_dead(from, &here.root, &token).await;
        }
    }
}

/// V8: a node forgets a revocation when the token is dead on every node, not as soon as its own clock says so.
#[tokio::test]
async fn a_revoked_token_stays_dead_on_a_node_whose_clock_is_behind() {
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
    assert_dead(&behind, &ahead.root, &token).await;

    // Nor does it refuse to revoke what has just expired by its own clock.
    let token = behind.access_token(&ahead.root).await;
    behind.advance(3600 * 1000 - 1);
    ahead.advance(3600 * 1000 - 30_000);
    assert_eq!(
        ahead.introspect(&ahead.root, &token).await,
        json!({ "active": false })
    );
    assert_alive(&behind, &ahead.root, &token).await;
    revoke(&ahead, &ahead.root, &token).await.expect(200);
    assert_dead(&behind, &ahead.root, &token).await;
}
