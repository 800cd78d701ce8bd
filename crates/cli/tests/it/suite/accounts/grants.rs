//! Who may give what to whom (G9, G11): nobody hands out more than he holds.

use reqwest::Method;
use serde_json::{Value, json};

use super::{start, start_with};
use crate::harness::{Options, Prokura, Reply, opaque_resource};

const ALL: &str = "management:all";
const READ: &str = "management:service-accounts:read";
const WRITE: &str = "management:service-accounts:write";
const INTROSPECT: &str = "tokens:introspect";
const NOBODY: &str = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";

async fn create(prokura: &Prokura, token: &str, scopes: Value) -> Reply {
    let body = json!({ "name": "CI", "scopes": scopes });
    prokura
        .api(Method::POST, "/service-accounts", token, Some(body))
        .await
}

async fn rotate(prokura: &Prokura, token: &str, id: &str) -> Reply {
    let path = format!("/service-accounts/{id}/rotate-secret");
    prokura.api(Method::POST, &path, token, None).await
}

async fn delete(prokura: &Prokura, token: &str, id: &str) -> Reply {
    let path = format!("/service-accounts/{id}");
    prokura.api(Method::DELETE, &path, token, None).await
}

#[track_caller]
fn assert_missing(reply: Reply, scopes: &[&str]) {
    let reply = reply.expect_api_error(403, "insufficient_scope");
    assert_eq!(reply.json()["missingScopes"], json!(scopes));
    assert_eq!(
        reply.header("www-authenticate"),
        format!(
            r#"Bearer realm="prokura", error="insufficient_scope", scope="{}""#,
            scopes.join(" ")
        )
    );
}

/// G9: nobody grants a management scope that he does not hold.
#[tokio::test]
async fn nobody_creates_an_account_that_may_more_than_he() {
    let orders = opaque_resource("https://orders.example.com", "orders:read orders:write");
    let prokura = start_with(Options {
        resources: vec![orders],
        ..Options::default()
    })
    .await;
    let root = prokura.access_token(&prokura.root).await;
    let writer = prokura
        .create(&root, json!({ "name": "Writer", "scopes": [WRITE] }))
        .await
        .1;
    // The same holds of a token that may less than its account.
    let narrowed = prokura
        .access_token_with(&prokura.root, &[("scope", WRITE)])
        .await;
    for token in [prokura.access_token(&writer).await, narrowed] {
        let token = &token;
        let before = prokura.rows("SELECT count(*) FROM service_accounts").await;
        for (scopes, missing) in [
            (json!([ALL]), &[ALL][..]),
            (json!([READ]), &[READ]),
            (json!([INTROSPECT]), &[INTROSPECT]),
            (json!([WRITE, READ, INTROSPECT]), &[READ, INTROSPECT]),
            (json!(["orders:read"]), &[ALL]),
            (json!(["orders:read", "orders:write", ALL]), &[ALL]),
        ] {
            assert_missing(create(&prokura, token, scopes).await, missing);
        }
        // What nobody can have is wrong, whoever asks.
        create(&prokura, token, json!([ALL, "unheard-of"]))
            .await
            .expect_wrong_field("scopes");
        let after = prokura.rows("SELECT count(*) FROM service_accounts").await;
        assert_eq!(after, before);

        for (scopes, granted) in [
            (json!([WRITE]), json!([WRITE])),
            (json!([WRITE, WRITE]), json!([WRITE])),
            (json!([]), json!([])),
            // By default what the caller's token holds, not what his account does.
            (Value::Null, json!([WRITE])),
        ] {
            let created = create(&prokura, token, scopes).await.expect(201).json();
            assert_eq!(created["serviceAccount"]["scopes"], granted);
        }
    }
    // Whoever holds all of them grants all of them, and those of other resources.
    let everything = json!(["orders:write", INTROSPECT, ALL, "orders:read", WRITE, READ]);
    let created = create(&prokura, &root, everything).await.expect(201).json();
    assert_eq!(
        created["serviceAccount"]["scopes"],
        json!([ALL, READ, WRITE, "orders:read", "orders:write", INTROSPECT])
    );
    let created = create(&prokura, &root, Value::Null)
        .await
        .expect(201)
        .json();
    assert_eq!(created["serviceAccount"]["scopes"], json!([ALL]));
}

/// G9: nor does he rotate his way to one.
#[tokio::test]
async fn nobody_rotates_an_account_that_may_more_than_he() {
    let orders = opaque_resource("https://orders.example.com", "orders:read");
    let prokura = start_with(Options {
        resources: vec![orders],
        ..Options::default()
    })
    .await;
    let root = prokura.access_token(&prokura.root).await;
    let new = async |scopes: Value| {
        let body = json!({ "name": "CI", "scopes": scopes });
        prokura.create(&root, body).await.1
    };
    let writer = new(json!([WRITE])).await;
    let reader = new(json!([READ])).await;
    let orderer = new(json!(["orders:read"])).await;
    let powerless = new(json!([])).await;
    let token = prokura.access_token(&writer).await;
    for (account, missing) in [(&prokura.root, ALL), (&reader, READ), (&orderer, ALL)] {
        assert_missing(rotate(&prokura, &token, &account.id).await, &[missing]);
    }
    for account in [&prokura.root, &reader] {
        prokura.access_token(account).await;
    }
    prokura
        .token(&orderer, &[("scope", "orders:read")])
        .await
        .expect(200);
    rotate(&prokura, &token, &powerless.id).await.expect(200);
    for account in [&reader, &orderer, &powerless, &writer] {
        rotate(&prokura, &root, &account.id).await.expect(200);
    }
    // Reading needs the scope to read, whatever the account that is read may do.
    let reader = prokura.rotate(&root, &reader.id).await;
    let token = prokura.access_token(&reader).await;
    let path = format!("/service-accounts/{}", prokura.root.id);
    prokura
        .api(Method::GET, &path, &token, None)
        .await
        .expect(200);
}

/// G9: authorization comes before everything that could tell what is there, or what a request must look like.
#[tokio::test]
async fn who_may_not_write_learns_nothing_by_trying() {
    let prokura = start().await;
    let root = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "Reader", "scopes": [READ] });
    let (_, reader) = prokura.create(&root, body).await;
    let token = prokura.access_token(&reader).await;
    for id in [&*prokura.root.id, NOBODY, "no-id", "%00"] {
        assert_missing(rotate(&prokura, &token, id).await, &[WRITE]);
        assert_missing(delete(&prokura, &token, id).await, &[WRITE]);
    }
    for body in [None, Some(json!({})), Some(json!({ "name": "CI", "x": 1 }))] {
        let reply = prokura
            .api(Method::POST, "/service-accounts", &token, body)
            .await;
        assert_missing(reply, &[WRITE]);
    }
}

/// G11: an account rotates itself; the token that did it lives on, as all that were issued.
#[tokio::test]
async fn an_account_may_rotate_itself() {
    let orders = opaque_resource("https://orders.example.com", "orders:read");
    let prokura = start_with(Options {
        resources: vec![orders],
        ..Options::default()
    })
    .await;
    let root = prokura.access_token(&prokura.root).await;
    // The scopes of other resources do not hinder it: it has them.
    let body = json!({ "name": "CI", "scopes": [WRITE, "orders:read"] });
    let (_, account) = prokura.create(&root, body).await;
    let token = prokura.access_token(&account).await;
    let rotated = prokura.rotate(&token, &account.id).await;
    prokura
        .token(&account, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
    prokura.access_token(&rotated).await;
    let again = prokura.rotate(&token, &account.id).await;
    prokura.access_token(&again).await;

    // A token that may less than its account must not rotate itself into more.
    let narrowed = prokura
        .access_token_with(&prokura.root, &[("scope", WRITE)])
        .await;
    assert_missing(rotate(&prokura, &narrowed, &prokura.root.id).await, &[ALL]);
    prokura.access_token(&prokura.root).await;
    prokura.rotate(&root, &prokura.root.id).await;
}

/// G11: an account deletes itself; the token that did it is dead with the rest.
#[tokio::test]
async fn an_account_may_delete_itself() {
    let prokura = start().await;
    let root = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "CI", "scopes": [WRITE] });
    let (_, account) = prokura.create(&root, body).await;
    let token = prokura.access_token(&account).await;
    delete(&prokura, &token, &account.id).await.expect(204);
    delete(&prokura, &token, &account.id)
        .await
        .expect_api_error(401, "invalid_token");
    delete(&prokura, &root, &account.id)
        .await
        .expect_api_error(404, "service_account_not_found");
    // The last one may go as well; without the scope to write not even oneself.
    let body = json!({ "name": "Reader", "scopes": [READ] });
    let (_, reader) = prokura.create(&root, body).await;
    let token = prokura.access_token(&reader).await;
    assert_missing(delete(&prokura, &token, &reader.id).await, &[WRITE]);
    assert_missing(rotate(&prokura, &token, &reader.id).await, &[WRITE]);
    delete(&prokura, &root, &prokura.root.id).await.expect(204);
    prokura
        .api(Method::GET, "/service-accounts", &root, None)
        .await
        .expect_api_error(401, "invalid_token");
}

/// The scopes of an account go into its tokens, so there is an end to them.
#[tokio::test]
async fn an_account_can_have_only_so_many_scopes() {
    let scopes = (0..60).map(|number| format!("{number:02}:{}", "x".repeat(50)));
    let scopes = scopes.collect::<Vec<_>>();
    let prokura = start_with(Options {
        resources: vec![opaque_resource(
            "https://many.example.com",
            &scopes.join(" "),
        )],
        ..Options::default()
    })
    .await;
    let token = prokura.access_token(&prokura.root).await;
    create(&prokura, &token, json!(scopes[..30]))
        .await
        .expect(201);
    create(&prokura, &token, json!(scopes))
        .await
        .expect_wrong_field("scopes");
}
