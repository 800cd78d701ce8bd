//! The filters of the list of accounts.

use reqwest::Method;
use serde_json::{Value, json};

use super::{start, start_with_token};
use crate::harness::{Prokura, Reply};

const DAY_MS: i64 = 24 * 3600 * 1000;

async fn get(prokura: &Prokura, token: &str, query: &str) -> Reply {
    let path = format!("/service-accounts?{query}");
    prokura.api(Method::GET, &path, token, None).await
}

/// The names of the accounts that a query finds. Reading the list whole and reading it by pages must agree.
async fn names(prokura: &Prokura, token: &str, query: &str) -> Vec<String> {
    let path = format!("/service-accounts?{query}");
    let whole = get(prokura, token, query).await.items();
    for limit in [1, 2, 200] {
        let paged = prokura.pages(token, &path, limit).await;
        assert_eq!(paged, whole, "{query}, {limit} a page");
    }
    let names = whole.iter().map(|account| account["name"].as_str());
    names.map(|name| name.unwrap().to_owned()).collect()
}

#[tokio::test]
async fn accounts_are_filtered_by_name_label_owner_and_state() {
    let (prokura, token) = start_with_token().await;
    for body in [
        json!({ "name": "Deploy Frontend", "owner": "Web", "labels": { "env": "prod", "tier": "1" } }),
        json!({ "name": "deploy backend", "owner": "Core", "labels": { "env": "prod" } }),
        json!({ "name": "Nightly", "owner": "Core", "labels": { "env": "test", "url": "http://a:1" } }),
    ] {
        prokura.create(&token, body).await;
    }
    let nightly = get(&prokura, &token, "name=night").await.json();
    let path = format!(
        "/service-accounts/{}",
        nightly["items"][0]["id"].as_str().unwrap()
    );
    let off = Some(json!({ "disabled": true }));
    prokura
        .api(Method::PATCH, &path, &token, off)
        .await
        .expect(200);

    for (query, expected) in [
        ("name=DEPLOY", &["Deploy Frontend", "deploy backend"][..]),
        ("name=deploy+b", &["deploy backend"]),
        ("name=%25", &[]),
        ("label=env:prod", &["Deploy Frontend", "deploy backend"]),
        ("label=env:prod&label=tier:1", &["Deploy Frontend"]),
        ("label=env:prod&label=env:test", &[]),
        ("label=url:http://a:1", &["Nightly"]),
        ("label=env:pro", &[]),
        ("owner=Core", &["deploy backend", "Nightly"]),
        ("owner=core", &[]),
        ("disabled=true", &["Nightly"]),
        ("disabled=false&owner=Core", &["deploy backend"]),
        (
            "name=n&label=env:prod&owner=Web&disabled=false",
            &["Deploy Frontend"],
        ),
    ] {
        assert_eq!(names(&prokura, &token, query).await, expected, "{query}");
    }
}

/// An account that was never used counts as used when it was created. A use counts at once, before it is written to the
/// database.
#[tokio::test]
async fn accounts_are_filtered_by_days_without_use() {
    let prokura = start().await;
    let root = prokura.root.clone();
    let token = prokura.access_token(&root).await;
    let (_, used) = prokura.create(&token, json!({ "name": "used" })).await;
    prokura
        .create(&token, json!({ "name": "never used" }))
        .await;
    prokura.access_token(&used).await;
    prokura.advance(30 * DAY_MS - 1);
    let token = prokura.access_token(&root).await;
    prokura.create(&token, json!({ "name": "new" })).await;
    let unused = "unusedForDays=30";
    assert!(names(&prokura, &token, unused).await.is_empty());
    prokura.advance(1);
    assert_eq!(
        names(&prokura, &token, unused).await,
        ["used", "never used"]
    );
    assert_eq!(
        names(&prokura, &token, "unusedForDays=30&name=never").await,
        ["never used"]
    );
    prokura.access_token(&used).await;
    assert_eq!(names(&prokura, &token, unused).await, ["never used"]);
    prokura.authority.flush_usage().await.unwrap();
    assert_eq!(names(&prokura, &token, unused).await, ["never used"]);
    assert_eq!(names(&prokura, &token, "unusedForDays=0").await.len(), 4);
}

/// The filter finds active secrets with an expiry of their own. It ignores secrets that have ended, that do not expire,
/// or that a rotation ends.
#[tokio::test]
async fn accounts_are_filtered_by_the_expiry_of_their_secrets() {
    let (prokura, token) = start_with_token().await;
    let call = async |name: &str, behind: &str, body: Value| {
        let (_, account) = prokura.create(&token, json!({ "name": name })).await;
        let path = format!("/service-accounts/{}/{behind}", account.id);
        let reply = prokura.api(Method::POST, &path, &token, Some(body)).await;
        assert!((200..300).contains(&reply.status));
        account.id
    };
    let days = |days: i64| json!({ "expiresInSeconds": days * DAY_MS / 1000 });
    call("in ten days", "rotate-secret", days(10)).await;
    call("besides another", "secrets", days(5)).await;
    let grace = json!({ "gracePeriodSeconds": 3600 });
    call("retiring", "rotate-secret", grace).await;
    let revoked = call("revoked", "secrets", days(5)).await;
    let path = format!("/service-accounts/{revoked}/rotate-secret");
    prokura
        .api(Method::POST, &path, &token, None)
        .await
        .expect(200);

    let within = async |days: u32, token: &str| {
        names(&prokura, token, &format!("secretExpiresWithinDays={days}")).await
    };
    assert!(within(4, &token).await.is_empty());
    assert_eq!(within(5, &token).await, ["besides another"]);
    assert_eq!(within(10, &token).await, ["in ten days", "besides another"]);
    prokura.advance(5 * DAY_MS);
    let token = prokura.access_token(&prokura.root).await;
    assert_eq!(within(30, &token).await, ["in ten days"]);
}

#[tokio::test]
async fn a_wrong_filter_is_named() {
    let (prokura, token) = start_with_token().await;
    for (query, field) in [
        ("name=", "name"),
        ("name=a&name=b", "name"),
        ("label=env", "label"),
        ("label=:prod", "label"),
        ("label=", "label"),
        ("label=a:b&label=x", "label"),
        ("owner=", "owner"),
        ("disabled=yes", "disabled"),
        ("disabled=TRUE", "disabled"),
        ("unusedForDays=-1", "unusedForDays"),
        ("unusedForDays=3651", "unusedForDays"),
        ("secretExpiresWithinDays=1.5", "secretExpiresWithinDays"),
        ("labels=a:b", "labels"),
    ] {
        let reply = get(&prokura, &token, query).await;
        reply.expect_wrong_field(field);
    }
}

/// A page is full unless it is the last, however rare the matches are.
#[tokio::test]
async fn rare_matches_are_found_in_a_long_list() {
    let (prokura, token) = start_with_token().await;
    let creations = (0..450).map(|number| {
        let name = if number % 149 == 148 {
            "rare"
        } else {
            "common"
        };
        prokura.create(&token, json!({ "name": name }))
    });
    for creation in creations {
        creation.await;
    }
    assert_eq!(names(&prokura, &token, "name=rare").await.len(), 3);
}
