//! The Rust SDK against the server.

mod lists;
mod tokens;

use prokura_client::{Client, ClientCredentials};

use super::{start, start_with};
use crate::harness::{Credentials, Prokura};

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
async fn an_account_is_managed_from_creation_to_deletion() {
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
