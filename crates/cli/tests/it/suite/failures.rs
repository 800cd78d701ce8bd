//! How many database calls an operation makes (P4), and what happens when the database or the clock fails: 503, and no
//! token (P8).

use std::sync::atomic::Ordering;

use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{DATABASE, start, start_with, start_with_account, start_with_token};
use crate::harness::{Credentials, Database, NO_ACCOUNT, Options, Prokura, Reply, jwt_resource};

/// The largest number of database calls that any operation makes.
const MOST_CALLS: i64 = 8;

#[track_caller]
fn assert_unavailable(reply: Reply, is_oauth: bool) {
    let seconds = reply.header("retry-after").parse::<u32>();
    assert!(seconds.is_ok_and(|seconds| seconds > 0), "{reply:?}");
    assert_eq!(reply.header("www-authenticate"), "");
    if is_oauth {
        reply.expect_oauth_error(503, "temporarily_unavailable");
    } else {
        reply.expect_api_error(503, "temporarily_unavailable");
    }
}

/// Sends the request while the database fails from its first call on, then from its second, and so on, until the request
/// succeeds. It must succeed as soon as no call fails, and not before. (On SQLite a read of a cached account needs no
/// call.) After each failure `check` verifies, with the database working again, that nothing was left behind.
async fn fail_at_every_call(
    prokura: &Prokura,
    success: u16,
    request: impl Fn() -> RequestBuilder,
    check: impl AsyncFn(),
) -> Reply {
    let is_oauth = |request: RequestBuilder| {
        let request = request.build().unwrap();
        request.url().path().starts_with("/oauth2/")
    };
    let is_oauth = is_oauth(request());
    for calls in 0..=MOST_CALLS {
        prokura.watch.fail_after(calls);
        let reply = prokura.send(request()).await;
        prokura.watch.mend();
        if reply.status != 503 {
            let may_remember = DATABASE == Database::Sqlite && success == 200;
            assert!(
                calls > 0 || may_remember,
                "the store was not asked: {reply:?}"
            );
            return reply.expect(success);
        }
        assert_unavailable(reply, is_oauth);
        check().await;
    }
    panic!("this does not succeed even with {MOST_CALLS} calls of the store");
}

fn form(
    prokura: &Prokura,
    path: &str,
    client: &Credentials,
    form: &[(&str, &str)],
) -> RequestBuilder {
    prokura
        .request(Method::POST, path)
        .header("authorization", client.basic())
        .form(form)
}

fn api(prokura: &Prokura, method: Method, path: &str, token: &str) -> RequestBuilder {
    let path = format!("/api/v1/service-accounts{path}");
    prokura.request(method, &path).bearer_auth(token)
}

/// P8, E6. Reads fail.
#[tokio::test]
async fn a_failing_read_answers_503() {
    let prokura = start().await;
    let root = prokura.root.clone();
    let token = prokura.access_token(&root).await;
    let other = prokura.bootstrap("Other").await;
    // A restarted server has an empty cache.
    let prokura = prokura.restart(Options::default()).await;
    let grant = [("grant_type", "client_credentials")];
    let nothing = async || ();

    let request = || form(&prokura, "/oauth2/token", &root, &grant);
    fail_at_every_call(&prokura, 200, request, nothing).await;

    let request = || form(&prokura, "/oauth2/introspect", &root, &[("token", &token)]);
    let seen = fail_at_every_call(&prokura, 200, request, nothing).await;
    assert_eq!(seen.json()["active"], true);

    let id = format!("/{}", root.id);
    let nobody = format!("/{NO_ACCOUNT}");
    for (path, success) in [("", 200), ("?limit=1", 200), (&id, 200), (&nobody, 404)] {
        let request = || api(&prokura, Method::GET, path, &token);
        fail_at_every_call(&prokura, success, request, nothing).await;
    }
    // A refusal requires the database too: a client is not told that its secret is wrong unless that is known.
    let wrong = Credentials {
        client_secret: other.client_secret,
        ..root.clone()
    };
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        let parameters = [("grant_type", "client_credentials"), ("token", &token)];
        let request = || form(&prokura, path, &wrong, &parameters);
        fail_at_every_call(&prokura, 401, request, nothing).await;
    }
}

/// P8. Writes fail, and nothing is left half done.
#[tokio::test]
async fn a_failing_write_answers_503_and_changes_nothing() {
    let prokura = start().await;
    let root = prokura.root.clone();
    let token = prokura.access_token(&root).await;
    let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
    let doomed = prokura.access_token(&account).await;
    let before = prokura.list_accounts(&token).await;
    let counts = "SELECT (SELECT count(*) FROM service_accounts), (SELECT count(*) FROM secrets), \
                  (SELECT count(*) FROM audit_events), (SELECT count(*) FROM revoked_tokens)";
    let rows = prokura.rows(counts).await;
    let unchanged = async || {
        assert_eq!(prokura.list_accounts(&token).await, before);
        assert_eq!(prokura.rows(counts).await, rows);
        prokura.access_token(&account).await;
        assert!(prokura.is_active(&doomed).await);
    };

    let request = || {
        let form = [("token", &*doomed)];
        self::form(&prokura, "/oauth2/revoke", &account, &form)
    };
    fail_at_every_call(&prokura, 200, request, unchanged).await;
    assert!(!prokura.is_active(&doomed).await);

    let rows = prokura.rows(counts).await;
    let unchanged = async || {
        assert_eq!(prokura.list_accounts(&token).await, before);
        assert_eq!(prokura.rows(counts).await, rows);
        prokura.access_token(&account).await;
    };
    let create = || api(&prokura, Method::POST, "", &token).json(&json!({ "name": "New" }));
    let created = fail_at_every_call(&prokura, 201, create, unchanged).await;
    let now_there = prokura.list_accounts(&token).await;
    assert_eq!(now_there.len(), 3);
    assert_eq!(now_there[2], created.json()["serviceAccount"]);

    let rows = prokura.rows(counts).await;
    let unchanged = async || {
        assert_eq!(prokura.list_accounts(&token).await, now_there);
        assert_eq!(prokura.rows(counts).await, rows);
        prokura.access_token(&account).await;
    };
    let path = format!("/{}/rotate-secret", account.id);
    let rotate = || api(&prokura, Method::POST, &path, &token);
    let rotated = fail_at_every_call(&prokura, 200, rotate, unchanged).await;
    prokura
        .token(&account, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
    let account = Credentials {
        client_secret: rotated.credentials().client_secret,
        ..account
    };

    let rows = prokura.rows(counts).await;
    let still_there = async || {
        assert_eq!(prokura.rows(counts).await, rows);
        prokura.access_token(&account).await;
    };
    let path = format!("/{}", account.id);
    let delete = || api(&prokura, Method::DELETE, &path, &token);
    fail_at_every_call(&prokura, 204, delete, still_there).await;
    prokura
        .token(&account, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
}

/// P7, P8. A change and its audit event are one transaction.
#[tokio::test]
async fn a_change_whose_audit_event_cannot_be_written_does_not_happen() {
    let (prokura, token, account) = start_with_account().await;
    let kept = prokura.access_token(&account).await;
    let before = prokura.list_accounts(&token).await;
    let (path, rotation) = (
        format!("/{}", account.id),
        format!("/{}/rotate-secret", account.id),
    );
    prokura
        .change_database("ALTER TABLE audit_events RENAME TO elsewhere")
        .await;
    let create = api(&prokura, Method::POST, "", &token).json(&json!({ "name": "New" }));
    for change in [
        create,
        api(&prokura, Method::POST, &rotation, &token),
        api(&prokura, Method::DELETE, &path, &token),
    ] {
        assert_unavailable(prokura.send(change).await, false);
    }
    let revocation = form(&prokura, "/oauth2/revoke", &account, &[("token", &kept)]);
    assert_unavailable(prokura.send(revocation).await, true);
    prokura
        .change_database("ALTER TABLE elsewhere RENAME TO audit_events")
        .await;

    assert_eq!(prokura.list_accounts(&token).await, before);
    prokura.access_token(&account).await;
    assert!(prokura.is_active(&kept).await);
    // Afterwards everything works as before.
    prokura.create(&token, json!({ "name": "New" })).await;
    prokura.rotate(&token, &account.id).await;
    let prokura = prokura.restart(Options::default()).await;
    assert!(prokura.is_active(&kept).await);
}

/// P8. A list that has begun cannot become a 503. The server cuts the connection, so that a client does not take a part
/// for the whole.
#[tokio::test]
async fn a_list_that_fails_halfway_is_cut_off() {
    let (prokura, token) = start_with_token().await;
    for number in 0..250 {
        let body = json!({ "name": format!("{number}") });
        prokura.create(&token, body).await;
    }
    // One read for the token unless its account is cached, and one for the first of two chunks.
    let calls = if DATABASE == Database::Postgres { 2 } else { 1 };
    prokura.watch.fail_after(calls);
    // The connection ends before or after the head is sent. Either way the body does not end properly.
    let cut_off = match api(&prokura, Method::GET, "", &token).send().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(cut_off);
    prokura.watch.mend();
    assert_eq!(prokura.list_accounts(&token).await.len(), 251);
}

/// P8. Without a clock the server cannot know whether anything has expired.
#[tokio::test]
async fn without_a_clock_every_request_answers_503() {
    let prokura = start().await;
    let root = prokura.root.clone();
    let token = prokura.access_token(&root).await;
    let rows = "SELECT count(*) FROM audit_events";
    let before = prokura.rows(rows).await;
    let path = format!("/{}", root.id);
    prokura.break_clock();
    for request in [
        api(&prokura, Method::GET, "", &token),
        api(&prokura, Method::GET, &path, &token),
        api(&prokura, Method::POST, "", &token).json(&json!({ "name": "CI" })),
        api(
            &prokura,
            Method::POST,
            &format!("{path}/rotate-secret"),
            &token,
        ),
        api(&prokura, Method::DELETE, &path, &token),
    ] {
        assert_unavailable(prokura.send(request).await, false);
    }
    let parameters = [("grant_type", "client_credentials"), ("token", &*token)];
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        let request = form(&prokura, path, &root, &parameters);
        assert_unavailable(prokura.send(request).await, true);
    }
    assert_eq!(prokura.rows(rows).await, before);
}

/// P8. A node without its database is alive and not ready.
#[tokio::test]
async fn readiness_follows_the_store() {
    let prokura = start().await;
    prokura.get("/readyz").await.expect(200);
    prokura.watch.fail_after(0);
    assert_unavailable(prokura.get("/readyz").await, false);
    prokura.get("/healthz").await.expect(200);
    prokura.watch.mend();
    prokura.get("/readyz").await.expect(200);
}

/// P4. A token costs one read and no write. An introspection costs two reads: the client and the account of the token.
/// On SQLite cached accounts cost no read.
#[tokio::test]
async fn issuing_and_introspecting_write_nothing() {
    let stock = "https://stock.example.com";
    for management_format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let resource = jwt_resource(stock, "stock:read", SigningAlgorithm::EdDsa);
        let prokura = start_with(Options {
            management_format,
            resources: vec![resource],
            ..Options::default()
        })
        .await;
        let token = prokura.access_token(&prokura.root).await;
        let body = json!({ "name": "CI", "scopes": ["management:all", "stock:read"] });
        let (_, account) = prokura.create(&token, body).await;
        let seen = |prokura: &Prokura| {
            let watch = &prokura.watch;
            [&watch.reads, &watch.writes].map(|calls| calls.load(Ordering::SeqCst))
        };
        let cost = usize::from(DATABASE == Database::Postgres);
        prokura.access_token(&account).await;
        for number in 0..100 {
            let resource = [("resource", stock)];
            let form = if number % 2 == 0 { &[][..] } else { &resource };
            let [reads, writes] = seen(&prokura);
            let token = prokura.access_token_with(&account, form).await;
            assert_eq!(seen(&prokura), [reads + cost, writes]);
            assert!(prokura.is_active(&token).await);
            assert_eq!(seen(&prokura), [reads + 3 * cost, writes]);
        }
        // A refusal writes nothing either.
        let [_, writes] = seen(&prokura);
        prokura.token(&account, &[("scope", "x")]).await.expect(400);
        let nobody = Credentials::default();
        prokura.token(&nobody, &[]).await.expect(401);
        assert_eq!(seen(&prokura)[1], writes);
    }
}
