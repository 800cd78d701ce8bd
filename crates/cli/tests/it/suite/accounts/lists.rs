//! The list of an organization's accounts, whole or by pages (G20).

use std::sync::atomic::Ordering;

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::{DATABASE, start_with_token};
use crate::harness::{Database, Prokura, Reply};

async fn get(prokura: &Prokura, token: &str, query: &str) -> Reply {
    let path = format!("/service-accounts{query}");
    prokura.api(Method::GET, &path, token, None).await
}

/// Creates `count` accounts and moves the clock between some of them.
async fn create_many(prokura: &Prokura, token: &str, count: usize) {
    let creations = stream::iter(0..count).map(async |number| {
        if number % 7 == 0 {
            prokura.advance(1);
        }
        let body = json!({ "name": format!("Account {number}") });
        prokura.create(token, body).await;
    });
    creations.buffer_unordered(16).collect::<Vec<_>>().await;
}

fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().unwrap().clone()
}

fn text<'a>(account: &'a Value, name: &str) -> &'a str {
    account[name].as_str().unwrap()
}

fn ids(accounts: &[Value]) -> Vec<String> {
    let ids = accounts
        .iter()
        .map(|account| text(account, "id").to_owned());
    ids.collect()
}

/// G20. The whole list and the pages agree, oldest account first. `stream_service_accounts` in
/// `authority/list_service_accounts.rs` reads 200 accounts at a time, so the server's memory does not grow with the
/// list. From outside this shows in the missing Content-Length and in the number of reads.
#[tokio::test]
async fn the_whole_list_and_its_pages_agree() {
    let (prokura, token) = start_with_token().await;
    let mut there_are = 1;
    // Counts around the ends of the chunks in which the server reads the list.
    for count in [1, 199, 200, 201, 400, 450] {
        create_many(&prokura, &token, count - there_are).await;
        there_are = count;
        let reads = prokura.watch.reads.load(Ordering::SeqCst);
        let whole = get(&prokura, &token, "").await.expect(200);
        let reads = prokura.watch.reads.load(Ordering::SeqCst) - reads;
        // One read for the token unless its account is cached, then one for each chunk.
        let token_reads = usize::from(DATABASE == Database::Postgres);
        assert_eq!(reads, token_reads + count / 200 + 1);
        assert_eq!(whole.header("content-length"), "");
        let whole = whole.json();
        assert_eq!(whole.get("nextCursor"), None);
        let whole = items(&whole);
        assert_eq!(whole.len(), count);
        let order = |account: &Value| {
            let [at, id] = ["createdAt", "id"].map(|name| text(account, name).to_owned());
            (at, id)
        };
        assert!(whole.is_sorted_by(|a, b| order(a) < order(b)));
        assert_eq!(prokura.pages(&token, "/service-accounts", 200).await, whole);
        assert_eq!(prokura.pages(&token, "/service-accounts", 199).await, whole);
    }

    let whole = items(&get(&prokura, &token, "?").await.expect(200).json());
    for limit in [1, 7, 50, 100, 150] {
        assert_eq!(
            prokura.pages(&token, "/service-accounts", limit).await,
            whole,
            "limit {limit}"
        );
    }
    // The order is stable: reading a page again returns the same page.
    let first = get(&prokura, &token, "?limit=3").await.expect(200).json();
    let cursor = text(&first, "nextCursor");
    let page = async || {
        let query = format!("?cursor={cursor}");
        items(&get(&prokura, &token, &query).await.expect(200).json())
    };
    let second = page().await;
    assert_eq!(second, whole[3..53], "50 unless asked for otherwise");
    assert_eq!(page().await, second);
}

/// G20. A wrong parameter is refused, and the response names it.
#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let (prokura, token) = start_with_token().await;
    prokura.create(&token, json!({ "name": "CI" })).await;
    let page = get(&prokura, &token, "?limit=1").await.expect(200).json();
    let cursor = text(&page, "nextCursor");
    for limit in [
        "0",
        "-1",
        "201",
        "1000000000",
        "99999999999999999999",
        "abc",
        "",
        "1.0",
        "1e1",
        "+1",
        "%2B1",
        "0x1",
        "%201",
        "1%20",
        "%D9%A1",
        "%00",
        "%zz",
        "1,2",
        "null",
    ] {
        let query = format!("?limit={limit}");
        get(&prokura, &token, &query)
            .await
            .expect_wrong_field("limit");
    }
    for query in [
        "?limit",
        "?limit=1&limit=1",
        "?limit=1&limit=2",
        "?limit=1&limit=",
    ] {
        get(&prokura, &token, query)
            .await
            .expect_wrong_field("limit");
    }
    for query in [
        "?cursor".to_owned(),
        "?cursor=".to_owned(),
        "?cursor=x".to_owned(),
        "?cursor=%00".to_owned(),
        "?limit=1&cursor=%E2%98%83".to_owned(),
        format!("?cursor={cursor}&cursor={cursor}"),
        format!("?cursor={}", "A".repeat(4000)),
    ] {
        get(&prokura, &token, &query)
            .await
            .expect_wrong_field("cursor");
    }
    for name in [
        "offset",
        "page",
        "Limit",
        "LIMIT",
        "limit[]",
        "sort",
        "access_token",
    ] {
        let query = format!("?limit=1&{name}=1");
        get(&prokura, &token, &query).await.expect_wrong_field(name);
    }
    for query in ["?limit=1", "?limit=200", "?limit=%31", "?&limit=1&", "?&"] {
        get(&prokura, &token, query).await.expect(200);
    }
}

/// G20. The server accepts exactly the cursors that it returned.
#[tokio::test]
async fn a_cursor_that_was_tampered_with_is_refused() {
    let (prokura, token) = start_with_token().await;
    prokura.create(&token, json!({ "name": "CI" })).await;
    let page = get(&prokura, &token, "?limit=1").await.expect(200).json();
    let cursor = text(&page, "nextCursor").to_owned();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    assert!(cursor.bytes().all(unreserved));
    // The cursor does not reveal where it points.
    assert!(!cursor.contains(&prokura.root.id));

    for at in 0..cursor.len() {
        for other in ['A', 'B', '_'] {
            let mut tampered = cursor.clone();
            tampered.replace_range(at..=at, &other.to_string());
            if tampered != cursor {
                let query = format!("?cursor={tampered}");
                get(&prokura, &token, &query)
                    .await
                    .expect_wrong_field("cursor");
            }
        }
    }
    for tampered in [
        cursor[1..].to_owned(),
        cursor[..cursor.len() - 1].to_owned(),
        format!("{cursor}A"),
        format!("{cursor}="),
        format!("{cursor}%0A"),
        format!("{cursor}{cursor}"),
    ] {
        let query = format!("?cursor={tampered}");
        get(&prokura, &token, &query)
            .await
            .expect_wrong_field("cursor");
    }
    get(&prokura, &token, &format!("?cursor={cursor}"))
        .await
        .expect(200);
}

/// G20. Accounts are created and deleted between two pages. Every account that stays is listed exactly once.
#[tokio::test]
async fn accounts_created_or_deleted_between_pages_do_not_disturb_the_list() {
    let (prokura, token) = start_with_token().await;
    create_many(&prokura, &token, 30).await;
    let before = items(&get(&prokura, &token, "").await.expect(200).json());

    let mut seen = Vec::new();
    let mut deleted = Vec::new();
    let mut query = "?limit=4".to_owned();
    loop {
        let page = get(&prokura, &token, &query).await.expect(200).json();
        let found = items(&page);
        seen.extend(ids(&found));
        let Some(cursor) = page.get("nextCursor") else {
            break;
        };
        query = format!("?limit=4&cursor={}", cursor.as_str().unwrap());
        // The test deletes the account that the cursor points at, and one that comes later.
        let pointed_at = ids(&found).pop().unwrap();
        let yet_to_come = before
            .get(seen.len() + 1)
            .map(|account| text(account, "id"));
        for id in [Some(&*pointed_at), yet_to_come].into_iter().flatten() {
            if id != prokura.root.id && !deleted.iter().any(|known| known == id) {
                prokura.delete(&token, id).await;
                deleted.push(id.to_owned());
            }
        }
        if deleted.len() < 20 {
            prokura.advance(1);
            prokura.create(&token, json!({ "name": "Late" })).await;
        }
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), seen.len(), "an account was shown twice");
    let staying = ids(&before)
        .into_iter()
        .filter(|id| !deleted.contains(id))
        .collect::<Vec<_>>();
    assert!(staying.iter().all(|id| seen.contains(id)));
    // Accounts created meanwhile come last.
    let last = items(&get(&prokura, &token, "").await.expect(200).json());
    assert_eq!(last.last().unwrap()["name"], "Late");
    assert_eq!(seen.last(), ids(&last).last());
}

/// G20. Accounts are created and deleted while the whole list is read. The response is valid JSON and has every account
/// that stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_list_can_be_read_while_it_changes() {
    let (prokura, token) = start_with_token().await;
    create_many(&prokura, &token, 250).await;
    let staying = ids(&items(&get(&prokura, &token, "").await.expect(200).json()));
    let changing = async {
        for _ in 0..20 {
            let (account, _) = prokura.create(&token, json!({ "name": "Passing" })).await;
            let path = format!("/service-accounts/{}", text(&account, "id"));
            prokura
                .api(Method::DELETE, &path, &token, None)
                .await
                .expect(204);
        }
    };
    let reading = async {
        for _ in 0..10 {
            let list = items(&get(&prokura, &token, "").await.expect(200).json());
            let shown = list.iter().filter(|account| account["name"] != "Passing");
            let shown = shown.cloned().collect::<Vec<_>>();
            assert_eq!(ids(&shown), staying);
        }
    };
    tokio::join!(changing, reading);
}
