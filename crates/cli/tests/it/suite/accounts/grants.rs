//! Which scopes a caller may grant (G9, G11): only those that its own token has.

use reqwest::Method;
use serde_json::{Value, json};

use super::{start_with, start_with_token};
use crate::harness::{NO_ACCOUNT, Options, Reply, opaque_resource};

const ALL: &str = "management:all";
const READ: &str = "management:service-accounts:read";
const ROTATE: &str = "management:service-accounts:rotate";
const WRITE: &str = "management:service-accounts:write";
const INTROSPECT: &str = "tokens:introspect";

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

/// G9. A caller cannot create an account with a management scope that the caller does not have.
#[tokio::test]
async fn a_caller_cannot_create_an_account_with_more_scopes_than_its_own() {
    let orders = opaque_resource("https://orders.example.com", "orders:read orders:write");
    let prokura = start_with(Options::with_resources(vec![orders])).await;
    let root = prokura.access_token(&prokura.root).await;
    let writer = prokura
        .create(&root, json!({ "name": "Writer", "scopes": [WRITE] }))
        .await
        .1;
    // The same holds for a token with fewer scopes than its account.
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
            (json!(["orders:read"]), &["orders:read"]),
            (
                json!(["orders:read", "orders:write", ALL]),
                &[ALL, "orders:read", "orders:write"],
            ),
        ] {
            assert_missing(
                prokura
                    .try_create(token, json!({ "name": "CI", "scopes": scopes }))
                    .await,
                missing,
            );
        }
        // An unknown scope is an invalid field for every caller.
        prokura
            .try_create(
                token,
                json!({ "name": "CI", "scopes": json!([ALL, "unheard-of"]) }),
            )
            .await
            .expect_wrong_field("scopes");
        let after = prokura.rows("SELECT count(*) FROM service_accounts").await;
        assert_eq!(after, before);

        for (scopes, granted) in [
            (json!([WRITE]), json!([WRITE])),
            (json!([WRITE, WRITE]), json!([WRITE])),
            (json!([]), json!([])),
            // The default is what the caller's token holds, not what its account holds.
            (Value::Null, json!([WRITE])),
        ] {
            let created = prokura
                .try_create(token, json!({ "name": "CI", "scopes": scopes }))
                .await
                .expect(201)
                .json();
            assert_eq!(created["serviceAccount"]["scopes"], granted);
        }
    }
    // A caller with `management:all` grants every scope, those of other resources too.
    let everything = json!(["orders:write", INTROSPECT, ALL, "orders:read", WRITE, READ]);
    let created = prokura
        .try_create(&root, json!({ "name": "CI", "scopes": everything }))
        .await
        .expect(201)
        .json();
    assert_eq!(
        created["serviceAccount"]["scopes"],
        json!([ALL, READ, WRITE, "orders:read", "orders:write", INTROSPECT])
    );
    let created = prokura
        .try_create(&root, json!({ "name": "CI", "scopes": Value::Null }))
        .await
        .expect(201)
        .json();
    assert_eq!(created["serviceAccount"]["scopes"], json!([ALL]));
}

/// G9. Rotating is no way around it: the new secret would give the caller the scopes of the account.
#[tokio::test]
async fn a_caller_cannot_rotate_an_account_with_more_scopes_than_its_own() {
    let orders = opaque_resource("https://orders.example.com", "orders:read");
    let prokura = start_with(Options::with_resources(vec![orders])).await;
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
    for (account, missing) in [
        (&prokura.root, ALL),
        (&reader, READ),
        (&orderer, "orders:read"),
    ] {
        assert_missing(
            prokura.try_rotate(&token, &account.id, None).await,
            &[missing],
        );
    }
    for account in [&prokura.root, &reader] {
        prokura.access_token(account).await;
    }
    prokura
        .token(&orderer, &[("scope", "orders:read")])
        .await
        .expect(200);
    prokura
        .try_rotate(&token, &powerless.id, None)
        .await
        .expect(200);
    for account in [&reader, &orderer, &powerless, &writer] {
        prokura
            .try_rotate(&root, &account.id, None)
            .await
            .expect(200);
    }
    // Reading requires only the scope to read, whatever scopes the account in question has.
    let reader = prokura.rotate(&root, &reader.id).await;
    let token = prokura.access_token(&reader).await;
    prokura
        .try_get_account(&token, &prokura.root.id)
        .await
        .expect(200);
}

/// G9. Authorization is checked before the account is looked up and before the request is validated.
#[tokio::test]
async fn a_caller_without_the_scope_to_write_learns_nothing() {
    let (prokura, root) = start_with_token().await;
    let body = json!({ "name": "Reader", "scopes": [READ] });
    let (_, reader) = prokura.create(&root, body).await;
    let token = prokura.access_token(&reader).await;
    for id in [&*prokura.root.id, NO_ACCOUNT, "no-id", "%00"] {
        assert_missing(prokura.try_rotate(&token, id, None).await, &[ROTATE]);
        assert_missing(prokura.try_delete(&token, id).await, &[WRITE]);
    }
    for body in [None, Some(json!({})), Some(json!({ "name": "CI", "x": 1 }))] {
        let reply = prokura
            .api(Method::POST, "/service-accounts", &token, body)
            .await;
        assert_missing(reply, &[WRITE]);
    }
}

/// G11. An account may rotate itself. The token in the request stays valid, like every other token.
#[tokio::test]
async fn an_account_may_rotate_itself() {
    let orders = opaque_resource("https://orders.example.com", "orders:read");
    let prokura = start_with(Options::with_resources(vec![orders])).await;
    let root = prokura.access_token(&prokura.root).await;
    // The scopes of other resources do not matter, because the account has them itself.
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

    // A token with fewer scopes than its account must not get the account's secret.
    let narrowed = prokura
        .access_token_with(&prokura.root, &[("scope", WRITE)])
        .await;
    assert_missing(
        prokura.try_rotate(&narrowed, &prokura.root.id, None).await,
        &[ALL],
    );
    prokura.access_token(&prokura.root).await;
    prokura.rotate(&root, &prokura.root.id).await;
}

/// G11. An account may delete itself. The token in the request ends with all others.
#[tokio::test]
async fn an_account_may_delete_itself() {
    let (prokura, root) = start_with_token().await;
    let body = json!({ "name": "CI", "scopes": [WRITE] });
    let (_, account) = prokura.create(&root, body).await;
    let token = prokura.access_token(&account).await;
    prokura.delete(&token, &account.id).await;
    prokura
        .try_delete(&token, &account.id)
        .await
        .expect_api_error(401, "invalid_token");
    prokura
        .try_delete(&root, &account.id)
        .await
        .expect_api_error(404, "service_account_not_found");
    // Without the scope to write, an account cannot delete even itself. It can rotate itself.
    let body = json!({ "name": "Reader", "scopes": [READ] });
    let (_, reader) = prokura.create(&root, body).await;
    let token = prokura.access_token(&reader).await;
    assert_missing(prokura.try_delete(&token, &reader.id).await, &[WRITE]);
    prokura.rotate(&token, &reader.id).await;
}

/// Scopes make tokens longer, so their total length has a limit.
#[tokio::test]
async fn the_scopes_of_an_account_have_a_limited_length() {
    let scopes = (0..60).map(|number| format!("{number:02}:{}", "x".repeat(50)));
    let scopes = scopes.collect::<Vec<_>>();
    let prokura = start_with(Options::with_resources(vec![opaque_resource(
        "https://many.example.com",
        &scopes.join(" "),
    )]))
    .await;
    let token = prokura.access_token(&prokura.root).await;
    prokura
        .try_create(
            &token,
            json!({ "name": "CI", "scopes": json!(scopes[..30]) }),
        )
        .await
        .expect(201);
    prokura
        .try_create(&token, json!({ "name": "CI", "scopes": json!(scopes) }))
        .await
        .expect_wrong_field("scopes");
}
