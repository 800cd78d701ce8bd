//! The list and the export of audit events.

use reqwest::Method;
use serde_json::json;

use super::{
    DATABASE, create_many, export, get_events, lines, list_events, organization, sequences, start,
    start_with_events, start_with_token,
};
use crate::harness::{Database, NO_ACCOUNT};

/// G24. Every member of an event.
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
    let events = list_events(&prokura, &token, "").await;
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

/// The pages and the export have the same events in the same order, oldest first.
#[tokio::test]
async fn the_pages_and_the_export_agree() {
    let (prokura, token) = start_with_token().await;
    let mut there_are = 2;
    // Counts around the ends of the chunks in which the server reads the trail.
    for count in [5, 200, 201] {
        create_many(&prokura, &token, count - there_are).await;
        there_are = count;
        let whole = lines(&export(&prokura, &token).await);
        assert!(sequences(&whole).iter().copied().eq(1..=count as i64));
        for limit in [3, 50, 200] {
            if count / limit < 50 {
                assert_eq!(prokura.pages(&token, "/audit-events", limit).await, whole);
            }
        }
    }
    let first = list_events(&prokura, &token, "").await;
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
    // An account that acts itself, and revokes a token of its own.
    prokura.advance(1000);
    let one = accounts[1].clone();
    let own = prokura.access_token(&one).await;
    prokura.rotate(&own, &accounts[2].id).await;
    prokura
        .form("/oauth2/revoke", &one, &[("token", &own)])
        .await
        .expect(200);
    prokura.advance(1000);
    prokura.delete(&token, &one.id).await;

    let all = prokura.pages(&token, "/audit-events", 200).await;
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
        // An actor that does not exist.
        (format!("&actor={NO_ACCOUNT}"), vec![]),
    ] {
        for limit in [1, 2, 200] {
            let found = prokura
                .pages(&token, &format!("/audit-events?{query}"), limit)
                .await;
            assert_eq!(sequences(&found), expected, "{query}");
            assert!(found.iter().all(|event| all.contains(event)));
        }
    }
}

/// A wrong parameter is refused, and the response names it.
#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let (prokura, token) = start_with_token().await;
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
        get_events(&prokura, &token, &query)
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
        get_events(&prokura, &token, &query).await.expect(200);
        for wrong in ["", "="] {
            let query = format!("?{field}{wrong}");
            get_events(&prokura, &token, &query)
                .await
                .expect_wrong_field(field);
        }
        let query = format!("?{field}={value}&{field}={value}");
        get_events(&prokura, &token, &query)
            .await
            .expect_wrong_field(field);
        let query = format!("/export?{field}={value}");
        get_events(&prokura, &token, &query)
            .await
            .expect_wrong_field(field);
    }
    for name in ["offset", "target", "Limit", "service_account_id", "x"] {
        let query = format!("?{name}=1");
        get_events(&prokura, &token, &query)
            .await
            .expect_wrong_field(name);
    }
}

/// A cursor is valid for the list and the organization that it was returned for.
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
    let rest = list_events(&prokura, &token, &format!("?cursor={events}")).await;
    assert_eq!(sequences(&rest), (2..=8).collect::<Vec<_>>());
}

/// P6. An organization reads its own events only.
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
        assert_eq!(whole, prokura.pages(token, "/audit-events", 200).await);
        assert_eq!(whole.len(), count);
        assert!(whole.iter().all(|event| event["organizationId"] == *id));
    }
    // A filter with an ID of the other organization finds nothing either.
    for query in [
        format!("?serviceAccountId={}", prokura.root.id),
        format!("?actor={}", prokura.root.id),
    ] {
        assert!(list_events(&prokura, &theirs, &query).await.is_empty());
    }
}

#[tokio::test]
async fn the_trail_needs_its_own_scope() {
    let (prokura, root) = start_with_token().await;
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
            let reply = get_events(&prokura, &token, path).await;
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

/// P8. An export that has begun cannot become a 503. The server cuts the connection, so that a client does not take a
/// part for the whole.
#[tokio::test]
async fn an_export_that_fails_halfway_is_cut_off() {
    let (prokura, token) = start_with_token().await;
    create_many(&prokura, &token, 250).await;
    // One read for the token, unless its account is cached.
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
    // The connection ends before or after the head is sent. Either way the body does not end properly.
    let cut_off = match request().send().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(cut_off);
    prokura.watch.mend();
    assert_eq!(lines(&export(&prokura, &token).await).len(), 252);
}
