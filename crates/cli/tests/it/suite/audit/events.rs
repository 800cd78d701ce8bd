//! The audit trail as it is read: page by page, exported, verified.

use std::{fs, sync::atomic::Ordering};

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::tempdir;

use super::{DATABASE, start};
use crate::harness::{
    Client, Database, Prokura, Reply,
    process::{Finished, run},
};

async fn get(client: &Client, token: &str, query: &str) -> Reply {
    let path = format!("/audit-events{query}");
    client.api(Method::GET, &path, token, None).await
}

async fn items(client: &Client, token: &str, query: &str) -> Vec<Value> {
    let list = get(client, token, query).await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

fn sequences(events: &[Value]) -> Vec<i64> {
    let sequences = events.iter().map(|event| event["sequence"].as_i64());
    sequences.map(Option::unwrap).collect()
}

/// Every event that the query lets through, from page to page.
async fn walk(client: &Client, token: &str, query: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let first = format!("?limit={limit}{query}");
    let mut next = first.clone();
    loop {
        let page = get(client, token, &next).await.expect(200).json();
        let found = page["items"].as_array().unwrap();
        all.extend_from_slice(found);
        let Some(cursor) = page.get("nextCursor") else {
            assert!(found.len() <= limit);
            return all;
        };
        // A page that is not the last is full.
        assert_eq!(found.len(), limit);
        next = format!("{first}&cursor={}", cursor.as_str().unwrap());
    }
}

async fn export(client: &Client, token: &str) -> String {
    let reply = get(client, token, "/export").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    assert_eq!(reply.header("content-length"), "");
    String::from_utf8(reply.body.to_vec()).unwrap()
}

fn lines(export: &str) -> Vec<Value> {
    assert!(export.ends_with('\n'));
    export
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Creates `count` accounts, which is as many events.
async fn create_many(prokura: &Prokura, token: &str, count: usize) {
    let creations = stream::iter(0..count).map(async |number| {
        let body = json!({ "name": format!("Account {number}") });
        prokura.create(token, body).await;
    });
    creations.buffer_unordered(16).collect::<Vec<_>>().await;
}

/// `prokura audit verify` on the server's database.
fn verify(prokura: &Prokura, arguments: &[&str]) -> Finished {
    let directory = tempdir().unwrap();
    let store = prokura.store_options();
    let arguments = ["audit", "verify"]
        .into_iter()
        .chain(store.iter().map(|option| &**option))
        .chain(arguments.iter().copied());
    run(directory.path(), arguments)
}

/// `prokura audit verify --file` on these lines.
fn verify_file(lines: &[String], arguments: &[&str]) -> Finished {
    let directory = tempdir().unwrap();
    let file = directory.path().join("audit.ndjson");
    let text = lines.iter().map(|line| format!("{line}\n"));
    fs::write(&file, text.collect::<String>()).unwrap();
    let arguments = ["audit", "verify", "--file", "audit.ndjson"]
        .iter()
        .chain(arguments);
    run(directory.path(), arguments)
}

/// The head that a verification printed.
fn head(printed: &str) -> &str {
    printed.trim_end().rsplit_once(" head ").unwrap().1
}

async fn organization(prokura: &Prokura, name: &str) -> String {
    let sql = format!("SELECT id FROM organizations WHERE name = '{name}'");
    let hex = prokura.rows(&sql).await[0][0].clone();
    let hex = hex.as_str().unwrap();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &hex[part]);
    parts.join("-")
}

/// A server whose first organization has eight events, the last six of them creations.
async fn start_with_events() -> (Prokura, String) {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    create_many(&prokura, &token, 6).await;
    (prokura, token)
}

/// G24: what is shown of an event, to the letter.
#[tokio::test]
async fn an_event_shows_who_did_what_to_whom() {
    let prokura = start().await;
    let root = prokura.root.clone();
    let token = prokura.access_token(&root).await;
    let body = json!({ "name": "CI", "description": "one\ntwo", "scopes": ["tokens:introspect"] });
    let create = prokura
        .request(Method::POST, "/api/v1/service-accounts")
        .bearer_auth(&token)
        .header("x-request-id", "request-1")
        .json(&body);
    let created = prokura.send(create).await.expect(201).json();
    let events = items(&prokura, &token, "").await;
    assert_eq!(sequences(&events), [1, 2, 3]);
    let acme = organization(&prokura, "Acme").await;
    assert_eq!(
        events[2],
        json!({
            "organizationId": acme,
            "sequence": 3,
            "at": "2026-11-23T12:00:00.000Z",
            "actor": root.id,
            "action": "create_service_account",
            "target": created["serviceAccount"]["id"],
            "requestId": "request-1",
            "address": "127.0.0.1",
            "changes": { "name": "CI", "description": "one\ntwo", "scopes": "tokens:introspect" },
            "previousHash": events[1]["hash"],
            "hash": prokura.rows("SELECT audit_hash FROM organizations").await[0][0],
        })
    );
    let first = &events[0];
    assert_eq!(first["action"], "create_organization");
    assert_eq!(first["actor"], "operator");
    assert_eq!(first["target"], acme);
    assert_eq!(first["changes"], json!({ "name": "Acme" }));
    assert_eq!(first["previousHash"], "00".repeat(32));
    for member in ["requestId", "address"] {
        assert!(first[member].is_null() && first.as_object().unwrap().contains_key(member));
    }
}

/// However it is asked for, the trail is the same, oldest first.
#[tokio::test]
async fn the_pages_and_the_export_agree() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let mut there_are = 2;
    // Around the ends of the chunks in which the whole is read.
    for count in [5, 200, 201] {
        create_many(&prokura, &token, count - there_are).await;
        there_are = count;
        let whole = lines(&export(&prokura, &token).await);
        assert!(sequences(&whole).iter().copied().eq(1..=count as i64));
        for limit in [3, 50, 200] {
            if count / limit < 50 {
                assert_eq!(walk(&prokura, &token, "", limit).await, whole);
            }
        }
    }
    let first = items(&prokura, &token, "").await;
    assert_eq!(first.len(), 50, "50 unless asked for otherwise");
}

#[tokio::test]
async fn filters_narrow_the_list_and_go_with_pages() {
    let prokura = start().await;
    let root = prokura.root.clone();
    let token = prokura.access_token(&root).await;
    let mut accounts = Vec::new();
    for number in 0..3 {
        prokura.advance(1000);
        let body = json!({ "name": format!("{number}"), "scopes": ["management:all"] });
        let (_, account) = prokura.create(&token, body).await;
        let account = prokura.rotate(&token, &account.id).await;
        accounts.push(account);
    }
    // An account that acts itself, and ends a token of its own.
    prokura.advance(1000);
    let one = accounts[1].clone();
    let own = prokura.access_token(&one).await;
    prokura.rotate(&own, &accounts[2].id).await;
    prokura
        .form("/oauth2/revoke", &one, &[("token", &own)])
        .await
        .expect(200);
    prokura.advance(1000);
    let path = format!("/service-accounts/{}", one.id);
    prokura
        .api(Method::DELETE, &path, &token, None)
        .await
        .expect(204);

    let all = walk(&prokura, &token, "", 200).await;
    assert_eq!(sequences(&all), (1..=11).collect::<Vec<_>>());
    let at = |seconds: i64| all[usize::try_from(1 + 2 * seconds).unwrap()]["at"].clone();
    let (second, third) = (at(2), at(3));
    assert_eq!(second, "2026-11-23T12:00:02.000Z");
    let (second, third) = (second.as_str().unwrap(), third.as_str().unwrap());
    for (query, expected) in [
        (format!("&serviceAccountId={}", one.id), vec![5, 6, 10, 11]),
        (format!("&serviceAccountId={}", root.id), vec![2]),
        ("&action=rotate_secret".to_owned(), vec![4, 6, 8, 9]),
        ("&action=revoke_token".to_owned(), vec![10]),
        ("&actor=operator".to_owned(), vec![1, 2]),
        (format!("&actor={}", one.id), vec![9, 10]),
        (format!("&since={third}"), vec![7, 8, 9, 10, 11]),
        (format!("&until={second}"), vec![1, 2, 3, 4]),
        (format!("&since={second}&until={third}"), vec![5, 6]),
        (
            "&since=2026-11-23T13:00:02%2B01:00&until=2026-11-23T12:00:02.001Z".to_owned(),
            vec![5, 6],
        ),
        (format!("&since={third}&until={second}"), vec![]),
        (
            format!(
                "&serviceAccountId={}&action=rotate_secret&actor={}&since={second}",
                one.id, root.id
            ),
            vec![6],
        ),
        // Nobody of this organization, perhaps nobody at all.
        (
            "&actor=019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47".to_owned(),
            vec![],
        ),
    ] {
        for limit in [1, 2, 200] {
            let found = walk(&prokura, &token, &query, limit).await;
            assert_eq!(sequences(&found), expected, "{query}");
            assert!(found.iter().all(|event| all.contains(event)));
        }
    }
}

/// What a list is asked for must be said properly; what is wrong is named.
#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let id = &prokura.root.id;
    for (field, value) in [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "x"),
        ("cursor", "x"),
        ("serviceAccountId", "x"),
        ("serviceAccountId", &prokura.root.client_id),
        ("serviceAccountId", &id.to_uppercase()),
        ("action", "x"),
        ("action", "ROTATE_SECRET"),
        ("actor", "x"),
        ("actor", "Operator"),
        ("since", "yesterday"),
        ("since", "2026-11-23"),
        ("since", "2026-11-23T12:00:00"),
        ("since", "2026-11-23T12:00:00+01:00"),
        ("until", "2026-02-30T12:00:00Z"),
        ("until", "1795435200000"),
        ("until", "%zz"),
        ("until", "%00"),
    ] {
        let query = format!("?{field}={value}");
        get(&prokura, &token, &query)
            .await
            .expect_wrong_field(field);
    }
    let good = [
        ("limit", "1"),
        ("serviceAccountId", id),
        ("action", "rotate_secret"),
        ("actor", "operator"),
        ("since", "2026-11-23T12:00:00Z"),
        ("until", "2026-11-23T12:00:00Z"),
    ];
    for (field, value) in good {
        let query = format!("?{field}={value}");
        get(&prokura, &token, &query).await.expect(200);
        for wrong in ["", "="] {
            let query = format!("?{field}{wrong}");
            get(&prokura, &token, &query)
                .await
                .expect_wrong_field(field);
        }
        let query = format!("?{field}={value}&{field}={value}");
        get(&prokura, &token, &query)
            .await
            .expect_wrong_field(field);
        let query = format!("/export?{field}={value}");
        get(&prokura, &token, &query)
            .await
            .expect_wrong_field(field);
    }
    for name in ["offset", "target", "Limit", "service_account_id", "x"] {
        let query = format!("?{name}=1");
        get(&prokura, &token, &query).await.expect_wrong_field(name);
    }
}

/// A cursor is good for the list and the organization that it was given for, to the letter.
#[tokio::test]
async fn a_cursor_of_another_list_or_organization_is_refused() {
    let (prokura, token) = start_with_events().await;
    let theirs = prokura
        .access_token(&prokura.bootstrap("Other").await)
        .await;
    let cursor = async |list: &str, token: &str| {
        let path = format!("{list}?limit=1");
        let page = prokura.api(Method::GET, &path, token, None).await;
        page.json()["nextCursor"].as_str().unwrap().to_owned()
    };
    let refused = async |list: &str, token: &str, cursor: &str| {
        let path = format!("{list}?cursor={cursor}");
        let reply = prokura.api(Method::GET, &path, token, None).await;
        reply.expect_wrong_field("cursor");
    };
    let events = cursor("/audit-events", &token).await;
    let accounts = cursor("/service-accounts", &token).await;
    refused("/audit-events", &token, &accounts).await;
    refused("/service-accounts", &token, &events).await;
    refused("/audit-events", &theirs, &events).await;
    refused(
        "/audit-events",
        &token,
        &cursor("/audit-events", &theirs).await,
    )
    .await;
    for at in 0..events.len() {
        let mut tampered = events.clone();
        tampered.replace_range(at..=at, "_");
        if tampered != events {
            refused("/audit-events", &token, &tampered).await;
        }
    }
    let rest = items(&prokura, &token, &format!("?cursor={events}")).await;
    assert_eq!(sequences(&rest), (2..=8).collect::<Vec<_>>());
}

/// P6.
#[tokio::test]
async fn each_organization_sees_its_own_trail() {
    let (prokura, token) = start_with_events().await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    for name in ["Acme", "Other"] {
        let id = organization(&prokura, name).await;
        let (token, count) = if name == "Acme" {
            (&token, 8)
        } else {
            (&theirs, 2)
        };
        let whole = lines(&export(&prokura, token).await);
        assert_eq!(whole, walk(&prokura, token, "", 200).await);
        assert_eq!(whole.len(), count);
        assert!(whole.iter().all(|event| event["organizationId"] == *id));
    }
    // Not even by asking for what is there.
    for query in [
        format!("?serviceAccountId={}", prokura.root.id),
        format!("?actor={}", prokura.root.id),
    ] {
        assert!(items(&prokura, &theirs, &query).await.is_empty());
    }
}

#[tokio::test]
async fn the_trail_needs_its_own_scope() {
    let prokura = start().await;
    let root = prokura.access_token(&prokura.root).await;
    for (scope, may) in [
        ("management:audit:read", true),
        ("management:all", true),
        ("management:service-accounts:read", false),
        ("management:service-accounts:write", false),
    ] {
        let body = json!({ "name": "CI", "scopes": [scope] });
        let (_, account) = prokura.create(&root, body).await;
        let token = prokura.access_token(&account).await;
        for path in ["", "/export"] {
            let reply = get(&prokura, &token, path).await;
            if may {
                reply.expect(200);
            } else {
                let reply = reply.expect_api_error(403, "insufficient_scope");
                assert_eq!(
                    reply.json()["missingScopes"],
                    json!(["management:audit:read"])
                );
            }
        }
    }
}

/// P8: an answer that has begun cannot become a 503; it is cut off, so that nobody takes the half for the whole.
#[tokio::test]
async fn an_export_that_cannot_be_read_to_its_end_is_cut_off() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    create_many(&prokura, &token, 250).await;
    // The token, unless its account is remembered.
    let token_reads = i64::from(DATABASE == Database::Postgres);
    let request = || {
        prokura
            .request(Method::GET, "/api/v1/audit-events/export")
            .bearer_auth(&token)
    };
    prokura.watch.fail_after(token_reads);
    let reply = prokura.send(request()).await;
    reply.expect_api_error(503, "temporarily_unavailable");
    // The first of two chunks.
    prokura.watch.fail_after(token_reads + 1);
    // Cut off before the head has left or behind it: in neither case is there a body that ends.
    let cut_off = match request().send().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(cut_off);
    prokura.watch.mend();
    assert_eq!(lines(&export(&prokura, &token).await).len(), 252);
}

/// In order, in constant memory, and the command finds it whole: the file, and the database beside the running server.
#[tokio::test]
async fn an_export_of_many_events_is_verified_by_the_command() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    create_many(&prokura, &token, 1018).await;
    let reads = prokura.watch.reads.load(Ordering::SeqCst);
    let exported = export(&prokura, &token).await;
    let reads = prokura.watch.reads.load(Ordering::SeqCst) - reads;
    assert_eq!(reads, usize::from(DATABASE == Database::Postgres) + 6);
    let events = lines(&exported);
    assert_eq!(sequences(&events), (1..=1020).collect::<Vec<_>>());

    let acme = organization(&prokura, "Acme").await;
    let last = events[1019]["hash"].as_str().unwrap();
    let file = exported.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        verify_file(&file, &["--head", last]).succeeded(),
        format!("organization {acme}: 1020 events, head {last}\n")
    );
    prokura.bootstrap("Other").await;
    let other = organization(&prokura, "Other").await;
    let printed = verify(&prokura, &[]).succeeded();
    let printed = printed.lines().collect::<Vec<_>>();
    assert_eq!(printed.len(), 2);
    let line = format!("organization {acme} \"Acme\": 1020 events, head {last}");
    assert!(printed.contains(&&*line), "{printed:?}");
    let line = verify(&prokura, &["--organization", &other]).succeeded();
    assert!(line.starts_with(&format!("organization {other} \"Other\": 2 events, head ")));

    // A head stays good when events follow it.
    prokura.rotate(&token, &prokura.root.id).await;
    let arguments = ["--organization", &*acme, "--head", last];
    let line = verify(&prokura, &arguments).succeeded();
    assert!(line.contains("1021 events"));
    assert_ne!(head(&line), last);
}

/// Every kind of change behind the server's back, with what the command says of it.
#[tokio::test]
async fn what_was_changed_in_the_store_is_named() {
    const INSERT: &str = "INSERT INTO audit_events SELECT organization_id, #, at, actor, action, target, request_id, \
                          address, detail, previous_hash FROM audit_events WHERE sequence = 5";
    let (prokura, _) = start_with_events().await;
    verify(&prokura, &[]).succeeded();
    prokura
        .change_database("CREATE TABLE kept AS SELECT * FROM audit_events")
        .await;
    let insert = |sequence: &str| INSERT.replace('#', sequence);
    let (early, late) = (insert("0"), insert("9"));
    for (change, said) in [
        (
            "UPDATE audit_events SET at = at + 1 WHERE sequence = 5",
            "event 5 was altered",
        ),
        (
            "UPDATE audit_events SET actor = 'operator' WHERE sequence = 5",
            "event 5 was altered",
        ),
        (
            "UPDATE audit_events SET actor = 'me' WHERE sequence = 5",
            "event 5 was altered",
        ),
        (
            "UPDATE audit_events SET action = 'nothing' WHERE sequence = 8",
            "event 8 was altered",
        ),
        (
            "UPDATE audit_events SET target = target || ' ' WHERE sequence = 3",
            "event 3 was altered",
        ),
        (
            "UPDATE audit_events SET request_id = '' WHERE sequence = 1",
            "event 1 was altered",
        ),
        (
            "UPDATE audit_events SET request_id = NULL WHERE sequence = 4",
            "event 4 was altered",
        ),
        (
            "UPDATE audit_events SET address = '::1' WHERE sequence = 7",
            "event 7 was altered",
        ),
        (
            "UPDATE audit_events SET detail = detail || ' ' WHERE sequence = 5",
            "event 5 was altered",
        ),
        (
            "UPDATE audit_events SET detail = 'nonsense' WHERE sequence = 1",
            "event 1 was altered",
        ),
        (
            "UPDATE audit_events SET detail = replace(detail, 'Account', 'Account ') WHERE sequence = 6",
            "event 6 was altered",
        ),
        (
            "UPDATE audit_events SET previous_hash = (SELECT previous_hash FROM kept WHERE sequence = 3) \
             WHERE sequence = 5",
            "event 5 was altered",
        ),
        (
            "DELETE FROM audit_events WHERE sequence = 1",
            "event 1 was removed",
        ),
        (
            "DELETE FROM audit_events WHERE sequence = 5",
            "event 5 was removed",
        ),
        (
            "DELETE FROM audit_events WHERE sequence IN (4, 5)",
            "events 4 to 5 were removed",
        ),
        (
            "DELETE FROM audit_events WHERE sequence = 8",
            "event 8 was removed",
        ),
        ("DELETE FROM audit_events", "events 1 to 8 were removed"),
        (&early, "event 0 was inserted"),
        (&late, "event 9 was inserted"),
        (
            "DELETE FROM audit_events WHERE sequence = 5; \
             UPDATE audit_events SET sequence = 5 WHERE sequence = 6; \
             UPDATE audit_events SET sequence = 6 WHERE sequence = 7; \
             UPDATE audit_events SET sequence = 7 WHERE sequence = 8",
            "event 5 does not follow the one before it",
        ),
    ] {
        prokura.change_database(change).await;
        let error = verify(&prokura, &[]).failed(1);
        assert!(
            error.contains(&format!("\"Acme\": {said}")),
            "{change}: {error}"
        );
        prokura
            .change_database(
                "DELETE FROM audit_events; INSERT INTO audit_events SELECT * FROM kept",
            )
            .await;
    }
    verify(&prokura, &[]).succeeded();
    // The others are still told of.
    prokura.bootstrap("Other").await;
    prokura
        .change_database(
            "DELETE FROM audit_events WHERE sequence = 1 AND organization_id = \
             (SELECT id FROM organizations WHERE name = 'Other')",
        )
        .await;
    let finished = verify(&prokura, &[]);
    assert!(finished.stdout.contains("\"Acme\": 8 events"));
    let error = finished.failed(1);
    assert!(error.contains("\"Other\": event 1 was removed"), "{error}");
    assert!(!error.contains("Acme"));
}

/// Whoever can write the organization's row too can take events off the end; a head that was kept elsewhere tells.
#[tokio::test]
async fn a_pinned_head_tells_what_the_store_cannot() {
    let (prokura, _) = start_with_events().await;
    let acme = organization(&prokura, "Acme").await;
    let printed = verify(&prokura, &[]).succeeded();
    prokura
        .change_database(
            "UPDATE organizations SET audit_sequence = 7, \
             audit_hash = (SELECT previous_hash FROM audit_events WHERE sequence = 8); \
             DELETE FROM audit_events WHERE sequence = 8",
        )
        .await;
    verify(&prokura, &[]).succeeded();
    let error = verify(
        &prokura,
        &["--organization", &acme, "--head", head(&printed)],
    )
    .failed(1);
    assert!(error.contains("no event has the pinned hash"), "{error}");
}

#[tokio::test]
async fn what_was_changed_in_a_file_is_named() {
    let (prokura, token) = start_with_events().await;
    let exported = export(&prokura, &token).await;
    let whole = exported.lines().map(str::to_owned).collect::<Vec<_>>();
    let printed = verify_file(&whole, &[]).succeeded();
    let pinned = ["--head", head(&printed)];
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let theirs = export(&prokura, &theirs).await;
    let their_line = theirs.lines().next().unwrap().to_owned();
    type Change<'a> = &'a dyn Fn(&mut Vec<String>);
    let changes: [(Change<'_>, &str); 9] = [
        (
            &|file| file[4] = file[4].replace("Account", "account"),
            "event 5 was altered",
        ),
        (
            &|file| file[7] = file[7].replace("127.0.0.1", "127.0.0.2"),
            "event 8 was altered",
        ),
        (&|file| drop(file.remove(0)), "event 1 was removed"),
        (&|file| drop(file.remove(4)), "event 5 was removed"),
        (&|file| drop(file.drain(2..4)), "events 3 to 4 were removed"),
        (
            &|file| file.insert(5, file[4].clone()),
            "event 5 was inserted",
        ),
        (
            &|file| file.insert(5, their_line.clone()),
            "event 1 was inserted",
        ),
        (
            &|file| file[4] = file[4].replace('{', "{\"note\":1,"),
            "line 5 of audit.ndjson is not an event",
        ),
        (
            &|file| file[4].truncate(40),
            "line 5 of audit.ndjson is not an event",
        ),
    ];
    for (change, said) in changes {
        let mut file = whole.clone();
        change(&mut file);
        let error = verify_file(&file, &[]).failed(1);
        assert!(error.contains(said), "{said}: {error}");
    }
    // What is gone at the end is missed only by who knows the head.
    let shorter = &whole[..6];
    assert!(verify_file(shorter, &[]).succeeded().contains(": 6 events"));
    let error = verify_file(shorter, &pinned).failed(1);
    assert!(error.contains("no event has the pinned hash"), "{error}");
    let error = verify_file(&[], &[]).failed(1);
    assert!(error.contains("there is no event in"), "{error}");
}

#[tokio::test]
async fn the_command_says_what_it_cannot_do() {
    let prokura = start().await;
    let hash = "00".repeat(32);
    for arguments in [
        &["--head", &*hash][..],
        &["--file", "x", "--head", "00"],
        &["--organization", "Acme"],
        &["--organization", &prokura.root.id, "--file", "x"],
    ] {
        verify(&prokura, arguments).failed(2);
    }
    let error = verify(&prokura, &["--organization", &prokura.root.id]).failed(1);
    assert!(error.contains("there is no organization"), "{error}");
    let error = verify(&prokura, &["--file", "nowhere"]).failed(1);
    assert!(error.contains("cannot read nowhere"), "{error}");
}
