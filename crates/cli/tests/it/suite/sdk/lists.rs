//! Lists through the Rust SDK.

use futures_util::TryStreamExt as _;

use super::{sdk, start};

#[tokio::test]
async fn a_list_yields_every_account_once_with_any_page_size() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);
    for number in 0..7 {
        root.create_service_account(format!("Account {number}"))
            .await
            .unwrap();
    }
    for limit in [1, 3, 8, 200] {
        let accounts = root.list_service_accounts().limit(limit).stream();
        let names = accounts
            .map_ok(|account| account.name)
            .try_collect::<Vec<_>>()
            .await
            .unwrap();
        let expected = (0..7).map(|number| format!("Account {number}"));
        assert_eq!(names[0], "Administrator");
        assert!(
            names[1..].iter().cloned().eq(expected),
            "{limit}: {names:?}"
        );
    }
    let page = root.list_service_accounts().limit(3).await.unwrap();
    assert_eq!(page.items.len(), 3);
    let next = root
        .list_service_accounts()
        .cursor(page.next_cursor.unwrap())
        .await
        .unwrap();
    assert_eq!(next.items.len(), 5);
    assert_eq!(next.next_cursor, None);
}

#[tokio::test]
async fn the_audit_trail_can_be_listed_and_exported() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);
    let id = root
        .create_service_account("CI")
        .await
        .unwrap()
        .service_account
        .id
        .clone();
    root.rotate_secret(&id).await.unwrap();
    root.revoke_tokens(&id).await.unwrap();

    let list = root
        .list_audit_events()
        .service_account_id(&id)
        .actor(&prokura.root.id)
        .limit(1);
    let actions = list
        .stream()
        .map_ok(|event| event.action)
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(
        actions,
        ["create_service_account", "rotate_secret", "revoke_tokens"]
    );
    let rotations = root.list_audit_events().action("rotate_secret");
    let rotations = rotations
        .since("2026-11-23T12:00:00Z")
        .until("2026-11-23T12:00:01Z");
    assert_eq!(rotations.await.unwrap().items.len(), 1);

    let exported = root.export_audit_events().await.unwrap().events();
    let exported = exported.try_collect::<Vec<_>>().await.unwrap();
    let listed = root
        .list_audit_events()
        .stream()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert!(listed.len() >= 4);
    assert_eq!(exported, listed);
}

#[tokio::test]
async fn a_list_can_be_filtered() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);
    let new = |name: &str| root.create_service_account(name).label("a", "1");
    new("Shop").label("b", "2").owner("Sales").await.unwrap();
    let expiring = new("Workshop").label("b", "3").await.unwrap();
    root.rotate_secret(&expiring.service_account.id)
        .expires_in_seconds(3600)
        .await
        .unwrap();
    new("Office").label("b", "2").await.unwrap();
    let off = new("Closed").await.unwrap();
    root.update_service_account(&off.service_account.id)
        .disabled(true)
        .await
        .unwrap();
    prokura.advance(3 * 24 * 3600 * 1000);
    root.rotate_secret(&expiring.service_account.id)
        .expires_in_seconds(3600)
        .await
        .unwrap();

    let list = || root.list_service_accounts().limit(2);
    for (list, expected) in [
        (list().name("shop"), vec!["Shop", "Workshop"]),
        (
            list().label("a", "1").label("b", "2"),
            vec!["Shop", "Office"],
        ),
        (list().owner("Sales"), vec!["Shop"]),
        (list().disabled(true), vec!["Closed"]),
        (
            list().label("a", "1").disabled(false),
            vec!["Shop", "Workshop", "Office"],
        ),
        (
            list().unused_for_days(2),
            vec!["Shop", "Workshop", "Office", "Closed"],
        ),
        (list().secret_expires_within_days(1), vec!["Workshop"]),
    ] {
        let said = format!("{list:?}");
        let names = list.stream().map_ok(|account| account.name);
        let names = names.try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(names, expected, "{said}");
    }
}
