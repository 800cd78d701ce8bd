//! Token introspection (section I; RFC 7662).
//!
//! I8 and I9, signed responses and bound tokens, are not offered.

use std::collections::BTreeSet;

use prokura_server::domain::{ConfiguredResource, SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::{Value, json};

use super::{start, start_with};
use crate::harness::{Credentials, Options, Prokura, claims_of, jwt_resource, opaque_resource};

const INTROSPECT: &str = "/oauth2/introspect";
const ORDERS: &str = "https://orders.example.com";
const STOCK: &str = "https://stock.example.com";

fn two_resources() -> Options {
    Options {
        resources: vec![
            jwt_resource(ORDERS, "orders:read orders:write", SigningAlgorithm::Es256),
            opaque_resource(STOCK, "stock:read"),
        ],
        ..Options::default()
    }
}

async fn create(prokura: &Prokura, client: &Credentials, scopes: &[&str]) -> Credentials {
    let token = prokura.access_token(client).await;
    let body = json!({ "name": "CI", "scopes": scopes });
    prokura.create(&token, body).await.1
}

fn inactive() -> Value {
    json!({ "active": false })
}

/// I1. The caller must be a client with the scope to introspect.
#[tokio::test]
async fn introspection_requires_a_client_with_the_scope_to_introspect() {
    let prokura = start_with(two_resources()).await;
    let root = &prokura.root;
    let token = prokura.access_token(root).await;
    let form = format!("token={token}");
    let bearer = format!("Bearer {token}");
    let wrong = Credentials {
        client_secret: format!("{}x", root.client_secret),
        ..root.clone()
    };
    for headers in [
        &[][..],
        // A bearer token does not authenticate a client, not even the token in question.
        &[("authorization", &*bearer)],
        &[("authorization", &*wrong.basic())],
        &[("authorization", "Basic")],
    ] {
        prokura
            .raw_form(INTROSPECT, headers, &form)
            .await
            .expect_oauth_error(401, "invalid_client");
    }
    for scopes in [
        &["management:service-accounts:read"][..],
        &[
            "management:service-accounts:read",
            "management:service-accounts:write",
        ],
        &["orders:read"],
    ] {
        let client = create(&prokura, root, scopes).await;
        for token in [&token, "unknown"] {
            let reply = prokura
                .form(INTROSPECT, &client, &[("token", token)])
                .await
                .expect_oauth_error(403, "insufficient_scope");
            assert_eq!(reply.json().get("active"), None);
        }
    }
    for scopes in [&["tokens:introspect"][..], &["management:all"]] {
        let client = create(&prokura, root, scopes).await;
        let answer = prokura.introspect(&client, &token).await;
        assert_eq!(answer["active"], true);
    }
}

/// I2. The response is the same for every reason.
#[tokio::test]
async fn an_invalid_token_is_reported_as_inactive_and_nothing_else() {
    for format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let prokura = start_with(Options::with_format(format)).await;
        let root = &prokura.root;
        let (revoked, expired) = (
            prokura.access_token(root).await,
            prokura.access_token(root).await,
        );
        let form = [("token", &*revoked)];
        prokura
            .form("/oauth2/revoke", root, &form)
            .await
            .expect(200);
        prokura.advance(3_600_000);
        let living = prokura.access_token(root).await;
        assert_eq!(prokura.introspect(root, &living).await["active"], true);
        for token in [
            &*revoked,
            &expired,
            &living[1..],
            &living[..living.len() - 1],
            &format!("{living} "),
            "unknown",
            "0",
            "..",
            "\u{1f511}",
            &root.client_secret,
            &root.client_id,
            &"x".repeat(9000),
        ] {
            let reply = prokura.form(INTROSPECT, root, &[("token", token)]).await;
            let reply = reply.expect(200);
            assert_eq!(reply.json(), inactive(), "{token}");
            assert_eq!(reply.body, "{\"active\":false}");
        }
    }
}

/// I3, S9, S11, R2. The response says what the token response and the claims said.
#[tokio::test]
async fn an_active_token_is_reported_with_all_its_claims() {
    let prokura = start_with(two_resources()).await;
    let root = &prokura.root;
    let client = create(
        &prokura,
        root,
        &["orders:read", "orders:write", "stock:read"],
    )
    .await;
    prokura.advance(1);
    for (resource, scope) in [
        (ORDERS, "orders:read orders:write"),
        (ORDERS, "orders:read"),
        (STOCK, "stock:read"),
    ] {
        let form = [("resource", resource), ("scope", scope)];
        let token = prokura.access_token_with(&client, &form).await;
        let reply = prokura.form(INTROSPECT, root, &[("token", &token)]).await;
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("pragma"), "no-cache");
        let answer = reply.expect(200).json();
        let now = prokura.now() / 1000;
        let jti = answer["jti"].clone();
        let organization = answer["organization_id"].clone();
        assert_eq!(organization.as_str().unwrap().len(), 36);
        assert!(!jti.as_str().unwrap().is_empty());
        assert_eq!(
            answer,
            json!({
                "active": true,
                "scope": scope,
                "client_id": client.client_id,
                "sub": client.client_id,
                "token_type": "Bearer",
                "iat": now,
                "exp": now + 900,
                "aud": resource,
                "iss": prokura.issuer,
                "jti": jti,
                "organization_id": organization,
            })
        );
        assert!(answer["exp"].is_i64() && answer["iat"].is_i64());
        if resource == ORDERS {
            let claims = claims_of(&token);
            for name in [
                "scope",
                "client_id",
                "sub",
                "iat",
                "exp",
                "aud",
                "iss",
                "jti",
                "organization_id",
            ] {
                assert_eq!(claims[name], answer[name], "{name}");
            }
        }
    }
}

/// I4, I7. A client with `tokens:introspect` sees the tokens of its organization, for every resource, and no token of
/// another organization.
#[tokio::test]
async fn a_client_sees_the_tokens_of_its_organization_and_no_others() {
    let shared = two_resources().resources.into_iter();
    let shared = shared.map(|resource| ConfiguredResource {
        is_shared: true,
        ..resource.into()
    });
    let prokura = start_with(Options {
        more_resources: shared.collect(),
        ..Options::default()
    })
    .await;
    let stranger = prokura.bootstrap("Globex").await;
    let mut worlds = Vec::new();
    for root in [&prokura.root, &stranger] {
        let checker = create(&prokura, root, &["tokens:introspect"]).await;
        let client = create(
            &prokura,
            root,
            &["management:all", "orders:read", "stock:read"],
        )
        .await;
        let mut tokens = Vec::new();
        for form in [
            &[][..],
            &[("resource", ORDERS)],
            &[("resource", STOCK)],
            &[("scope", "tokens:introspect")],
        ] {
            tokens.push(prokura.access_token_with(&client, form).await);
        }
        worlds.push((checker, tokens));
    }
    for (checker, tokens) in &worlds {
        let mut audiences = BTreeSet::new();
        for token in tokens {
            let answer = prokura.introspect(checker, token).await;
            assert_eq!(answer["active"], true);
            audiences.insert(answer["aud"].as_str().unwrap().to_owned());
        }
        assert_eq!(audiences.len(), 3);
        for (other, foreign) in &worlds {
            if other.client_id != checker.client_id {
                for token in foreign {
                    assert_eq!(prokura.introspect(checker, token).await, inactive());
                }
            }
        }
    }
}

/// I5. The request must be a POST of a form with exactly one token.
#[tokio::test]
async fn an_introspection_request_is_a_form_with_one_token() {
    let prokura = start().await;
    let root = &prokura.root;
    let token = prokura.access_token(root).await;
    let basic = root.basic();
    let headers = [("authorization", &*basic)];
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        let request = prokura
            .request(method, &format!("{INTROSPECT}?token={token}"))
            .header("authorization", &basic);
        let reply = prokura.send(request).await.expect(405);
        assert_eq!(reply.header("allow"), "POST");
    }
    for body in [
        String::new(),
        "token=".to_owned(),
        "token_type_hint=access_token".to_owned(),
        format!("token={token}&token={token}"),
        format!("token={token}&token="),
        format!("token={token}%00"),
    ] {
        prokura
            .raw_form(INTROSPECT, &headers, &body)
            .await
            .expect_oauth_error(400, "invalid_request");
    }
    let in_query = format!("{INTROSPECT}?token={token}");
    prokura
        .raw_form(&in_query, &headers, "")
        .await
        .expect_oauth_error(400, "invalid_request");
    let json = prokura
        .request(Method::POST, INTROSPECT)
        .header("authorization", &basic)
        .json(&json!({ "token": token }));
    prokura
        .send(json)
        .await
        .expect_oauth_error(400, "invalid_request");
    // RFC 7662 §2.1: a hint, even a wrong one, and unknown parameters are accepted.
    for hint in ["access_token", "refresh_token", "foo"] {
        let form = [
            ("token", &*token),
            ("token_type_hint", hint),
            ("foo", "bar"),
        ];
        let reply = prokura.form(INTROSPECT, root, &form).await.expect(200);
        assert_eq!(reply.json()["active"], true);
    }
}

/// I6. A token is active from the second it is issued to the second it expires. Retired keys are tested with JV15.
#[tokio::test]
async fn a_token_is_active_only_between_its_issue_and_its_expiry() {
    for format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let prokura = start_with(Options {
            management_format: format,
            lifetime_seconds: 60,
            ..Options::default()
        })
        .await;
        let root = &prokura.root;
        let token = prokura.access_token(root).await;
        for (advance, active) in [(59_999, true), (1, false), (1, false), (3_600_000, false)] {
            prokura.advance(advance);
            let answer = prokura.introspect(root, &token).await;
            assert_eq!(answer["active"], active);
        }
        // The clock goes back by an hour. A token that was issued an hour ahead of the clock is not valid.
        let token = prokura.access_token(root).await;
        prokura.advance(-60_000);
        assert_eq!(prokura.introspect(root, &token).await["active"], true);
        prokura.advance(-2_000);
        assert_eq!(prokura.introspect(root, &token).await, inactive());
    }
}

/// I6, G4, S10. A token is inactive as soon as its account is deleted or disabled, and has only the scopes that its
/// account still has.
#[tokio::test]
async fn a_token_is_inactive_when_its_account_is() {
    let prokura = start_with(two_resources()).await;
    let root = &prokura.root;
    let token = prokura.access_token(root).await;
    let mut accounts = Vec::new();
    for name in ["deleted", "disabled", "ended", "narrowed"] {
        let body = json!({ "name": name, "scopes": ["orders:read", "orders:write"] });
        let (_, client) = prokura.create(&token, body).await;
        let form = [("resource", ORDERS)];
        let token = prokura.access_token_with(&client, &form).await;
        assert_eq!(prokura.introspect(root, &token).await["active"], true);
        accounts.push((client, token));
    }
    let path = format!("/service-accounts/{}", accounts[0].0.id);
    prokura
        .api(Method::DELETE, &path, &token, None)
        .await
        .expect(204);
    assert_eq!(prokura.introspect(root, &accounts[0].1).await, inactive());

    // The API has no operation for this state, so the test sets it in the database and restarts the server.
    prokura
        .change_database(
            "UPDATE service_accounts SET disabled_at = 1 WHERE name = 'disabled';
             UPDATE service_accounts SET token_epoch = 1 WHERE name = 'ended';
             UPDATE service_accounts SET scopes = 'orders:write' WHERE name = 'narrowed';",
        )
        .await;
    let prokura = prokura.restart(two_resources()).await;
    let root = &prokura.root;
    for (_, token) in &accounts[..3] {
        assert_eq!(prokura.introspect(root, token).await, inactive());
    }
    let answer = prokura.introspect(root, &accounts[3].1).await;
    assert_eq!(answer["active"], true);
    assert_eq!(answer["scope"], "orders:write");
    // A disabled account cannot authenticate. An account whose tokens were revoked gets new ones.
    prokura
        .token(&accounts[1].0, &[("resource", ORDERS)])
        .await
        .expect_oauth_error(401, "invalid_client");
    let form = [("resource", ORDERS)];
    let renewed = prokura.access_token_with(&accounts[2].0, &form).await;
    assert_eq!(prokura.introspect(root, &renewed).await["active"], true);
}

/// P8. Without a clock or a store the server reports a token neither as active nor as inactive.
#[tokio::test]
async fn without_a_store_or_a_clock_introspection_answers_503() {
    let prokura = start().await;
    let root = &prokura.root;
    let token = prokura.access_token(root).await;
    let unseen = create(&prokura, root, &["tokens:introspect"]).await;
    let form = [("token", &*token)];
    prokura.watch.fail_after(0);
    let without_store = prokura.form(INTROSPECT, &unseen, &form).await;
    prokura.watch.mend();
    let answer = prokura.introspect(&unseen, &token).await;
    assert_eq!(answer["active"], true);
    prokura.break_clock();
    let without_clock = prokura.form(INTROSPECT, &unseen, &form).await;
    for reply in [without_store, without_clock] {
        let reply = reply.expect_oauth_error(503, "temporarily_unavailable");
        assert_eq!(reply.header("retry-after"), "5");
        assert_eq!(reply.json().get("active"), None);
    }
}
