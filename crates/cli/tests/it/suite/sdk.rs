//! The Rust SDK against the server.

use futures_util::{TryStreamExt as _, future::try_join_all};
use prokura_client::{Client, ClientCredentials, Error, HttpOptions};
use prokura_server::domain::SigningAlgorithm;

use super::{start, start_with};
use crate::harness::{Credentials, Options, Prokura, claims_of, jwt_resource};

fn credentials(of: &Credentials) -> ClientCredentials {
    ClientCredentials::new(&of.client_id, &of.client_secret)
}

fn sdk(prokura: &Prokura, account: &Credentials) -> Client {
    Client::new(&prokura.url, credentials(account)).unwrap()
}

/// Whether these credentials get a token.
async fn works(prokura: &Prokura, credentials: ClientCredentials) -> bool {
    let client = Client::new(&prokura.url, credentials).unwrap();
    match client.tokens().token().await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code(), Some("invalid_client"), "{error:?}");
            false
        }
    }
}

#[tokio::test]
async fn an_account_lives_from_creation_to_deletion() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);

    let created = root
        .create_service_account("CI Pipeline")
        .description("Used by GitHub Actions")
        .scopes(["management:service-accounts:read"])
        .await
        .unwrap()
        .value;
    let id = created.service_account.id.clone();
    assert_eq!(created.service_account.name, "CI Pipeline");
    assert_eq!(
        created.service_account.created_by.as_ref(),
        Some(&prokura.root.id)
    );
    let first = ClientCredentials::from(created.credentials);
    assert!(works(&prokura, first.clone()).await);

    let found = root.get_service_account(&id).await.unwrap();
    assert_eq!(
        found.service_account.description.as_deref(),
        Some("Used by GitHub Actions")
    );
    assert!(found.service_account.last_used_at.is_some());

    let rotated = root
        .rotate_secret(&id)
        .grace_period_seconds(60)
        .expires_in_seconds(3600)
        .await
        .unwrap()
        .value;
    let second = ClientCredentials::from(rotated.credentials);
    assert!(works(&prokura, first.clone()).await);
    assert!(works(&prokura, second.clone()).await);
    let secrets = root.list_secrets(&id).await.unwrap().items;
    let states = secrets.iter().map(|secret| secret.state.as_str());
    assert_eq!(states.collect::<Vec<_>>(), ["active", "retiring"]);
    assert!(secrets[0].expires_at.is_some());

    root.cancel_rotation(&id).await.unwrap();
    assert!(works(&prokura, first.clone()).await);
    assert!(!works(&prokura, second).await);

    let added = root.add_secret(&id).expires_in_seconds(60).await.unwrap();
    assert!(works(&prokura, added.credentials.into()).await);
    root.delete_secret(&id, &added.secret.id).await.unwrap();

    root.rotate_secret(&id).revoke_tokens().await.unwrap();
    assert!(!works(&prokura, first).await);

    let usage = root.get_usage(&id).days(2).await.unwrap().items;
    assert_eq!(usage.len(), 2);
    assert!(
        usage[1].tokens_issued >= 4 && usage[1].tokens_refused >= 2,
        "{usage:?}"
    );

    root.delete_service_account(&id).await.unwrap();
    let error = root.get_service_account(&id).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert_eq!(error.code(), Some("service_account_not_found"));
    assert!(!error.request_id().unwrap().is_empty());
}

#[tokio::test]
async fn a_client_whose_tokens_are_revoked_gets_a_new_one() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);
    let before = root.tokens().token().await.unwrap();
    root.revoke_tokens(&prokura.root.id).await.unwrap();
    assert!(!root.introspect_token(before.expose()).await.unwrap().active);

    let calls = (0..20).map(|_| root.get_service_account(&prokura.root.id).into_future());
    try_join_all(calls).await.unwrap();
    let usage = root.get_usage(&prokura.root.id).days(1).await.unwrap();
    assert_eq!(usage.items[0].tokens_issued, 2);
}

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
async fn an_error_names_the_missing_scope_and_the_wrong_fields() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);
    let reader = root
        .create_service_account("Reader")
        .scopes(["management:service-accounts:read"])
        .await
        .unwrap()
        .value;
    let reader = Client::new(&prokura.url, reader.credentials.into()).unwrap();
    let error = reader
        .delete_service_account(&prokura.root.id)
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert_eq!(
        error.missing_scopes(),
        ["management:service-accounts:write"]
    );

    let error = root
        .create_service_account("two\nlines")
        .scopes(["?", "a b"])
        .await
        .unwrap_err();
    let fields = error
        .field_errors()
        .iter()
        .map(|error| error.field.as_str());
    assert_eq!(fields.collect::<Vec<_>>(), ["name", "scopes"]);

    // The client ID in place of the account ID.
    let error = root
        .get_service_account(&prokura.root.client_id)
        .await
        .unwrap_err();
    assert_eq!(error.field_errors()[0].field, "id");
}

#[tokio::test]
async fn tokens_are_introspected_and_revoked() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);
    let token = root.tokens().token().await.unwrap();
    let said = root.introspect_token(token.expose()).await.unwrap();
    assert!(said.active);
    assert_eq!(said.client_id.as_ref(), Some(&prokura.root.client_id));
    root.revoke_token(token.expose()).await.unwrap();
    assert!(!root.introspect_token(token.expose()).await.unwrap().active);
    root.revoke_token("prka_nonsense").await.unwrap();

    let nobody = root
        .create_service_account("Nobody")
        .scopes(Vec::<String>::new())
        .await
        .unwrap();
    let nobody = nobody.value.credentials.into();
    let nobody = Client::new(&prokura.url, nobody).unwrap();
    let error = nobody.introspect_token(token.expose()).await.unwrap_err();
    assert!(matches!(error, Error::OAuth(_)), "{error:?}");
    assert_eq!(error.code(), Some("insufficient_scope"));
}

#[tokio::test]
async fn an_account_gets_tokens_for_other_apis() {
    let orders = "https://orders.example.com";
    let prokura = start_with(Options::with_resources(vec![jwt_resource(
        orders,
        "orders:read orders:write",
        SigningAlgorithm::Es256,
    )]))
    .await;
    let root = sdk(&prokura, &prokura.root);
    let shop = root
        .create_service_account("Shop")
        .scopes(["orders:read", "orders:write"])
        .await
        .unwrap()
        .value;
    for credentials in [
        ClientCredentials::from(shop.credentials.clone()),
        ClientCredentials::from(shop.credentials.clone()).in_body(),
    ] {
        let client = Client::new(&prokura.url, credentials).unwrap();
        let tokens = client
            .token_source()
            .resource(orders)
            .scope("orders:read")
            .build()
            .unwrap();
        let token = tokens.token().await.unwrap();
        assert_eq!(token.scope(), Some("orders:read"));
        let claims = claims_of(token.expose());
        assert_eq!(claims["aud"], orders);
        assert_eq!(claims["client_id"], shop.service_account.client_id);

        let other = client
            .token_source()
            .resource("https://other.example.com")
            .build()
            .unwrap();
        assert_eq!(
            other.token().await.unwrap_err().code(),
            Some("invalid_target")
        );
    }
}

#[tokio::test]
async fn a_503_says_when_to_retry() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);
    let id = root
        .create_service_account("CI")
        .await
        .unwrap()
        .service_account
        .id
        .clone();
    let impatient = Client::builder(&prokura.url, credentials(&prokura.root))
        .http(HttpOptions::new().max_retries(0))
        .build()
        .unwrap();
    impatient.tokens().token().await.unwrap();

    prokura.watch.fail_after(0);
    let error = impatient.get_service_account(&id).await.unwrap_err();
    assert_eq!(error.code(), Some("temporarily_unavailable"));
    assert_eq!(error.retry_after().unwrap().as_secs(), 5);
    prokura.watch.mend();
    impatient.get_service_account(&id).await.unwrap();
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);
    let created = root
        .create_service_account("CI")
        .description("Old")
        .owner("Platform team")
        .label("environment", "production")
        .label("tier", "1")
        .token_lifetime_seconds(600)
        .expires_at("2027-01-01T00:00:00Z")
        .await
        .unwrap();
    let id = created.service_account.id.clone();
    assert_eq!(
        created.service_account.expires_at.as_deref(),
        Some("2027-01-01T00:00:00.000Z")
    );

    let updated = root
        .update_service_account(&id)
        .name("CD")
        .clear_description()
        .label("environment", "staging")
        .clear_label("tier")
        .clear_expires_at()
        .disabled(true)
        .if_match(created.etag.clone().unwrap())
        .await
        .unwrap();
    let account = &updated.service_account;
    assert_eq!(account.name, "CD");
    assert_eq!(account.description, None);
    assert_eq!(account.owner.as_deref(), Some("Platform team"));
    assert_eq!(
        account.labels,
        [("environment".to_owned(), "staging".to_owned())].into()
    );
    assert_eq!(account.token_lifetime_seconds, Some(600));
    assert_eq!(account.expires_at, None);
    assert!(account.disabled);

    let cleared = root
        .update_service_account(&id)
        .clear_owner()
        .clear_labels()
        .clear_token_lifetime_seconds()
        .scopes(["management:service-accounts:read"])
        .await
        .unwrap()
        .value
        .service_account;
    assert_eq!(
        (cleared.owner, cleared.token_lifetime_seconds),
        (None, None)
    );
    assert!(cleared.labels.is_empty());
    assert_eq!(cleared.scopes, ["management:service-accounts:read"]);
}

#[tokio::test]
async fn a_change_of_an_account_that_changed_meanwhile_is_refused() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);
    let created = root.create_service_account("CI").await.unwrap();
    let (id, stale) = (&created.service_account.id, created.etag.clone().unwrap());
    let fresh = root.update_service_account(id).name("CD").await.unwrap();
    let fresh = fresh.etag.unwrap();

    let refusals = [
        root.update_service_account(id)
            .name("CE")
            .if_match(&stale)
            .await
            .err(),
        root.rotate_secret(id).if_match(&stale).await.err(),
        root.cancel_rotation(id).if_match(&stale).await.err(),
        root.add_secret(id).if_match(&stale).await.err(),
        root.revoke_tokens(id).if_match(&stale).await.err(),
        root.delete_service_account(id).if_match(&stale).await.err(),
    ];
    for refusal in refusals {
        let refusal = refusal.unwrap();
        assert_eq!(refusal.status(), Some(412));
        assert_eq!(refusal.code(), Some("precondition_failed"));
    }
    assert_eq!(
        root.get_service_account(id)
            .await
            .unwrap()
            .service_account
            .name,
        "CD"
    );
    root.delete_service_account(id)
        .if_match(fresh)
        .await
        .unwrap();
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

#[tokio::test]
async fn a_call_with_the_same_key_is_done_once() {
    let prokura = start().await;
    let root = sdk(&prokura, &prokura.root);
    let create = async || {
        let create = root.create_service_account("CI").owner("Sales");
        create
            .idempotency_key("my \"own\" \\ key")
            .await
            .unwrap()
            .value
    };
    let created = create().await;
    assert_eq!(create().await, created);
    let id = created.service_account.id.clone();

    let rotate = async || {
        root.rotate_secret(&id)
            .idempotency_key("k")
            .await
            .unwrap()
            .value
    };
    assert_eq!(rotate().await.credentials, rotate().await.credentials);
    let add = async || root.add_secret(&id).idempotency_key("k").await.unwrap();
    assert_eq!(add().await, add().await);

    let other = root
        .create_service_account("CD")
        .idempotency_key("my \"own\" \\ key");
    let error = other.await.unwrap_err();
    assert_eq!(error.code(), Some("idempotency_key_reused"));
    // By default every call has its own key.
    root.add_secret(&id).await.unwrap();
    root.add_secret(&id).await.unwrap();
    assert_eq!(root.list_secrets(&id).await.unwrap().items.len(), 5);
}
