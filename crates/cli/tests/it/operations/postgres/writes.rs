//! Writes to PostgreSQL: atomic, durable, and in order.

use std::time::Duration;

use futures_util::{FutureExt as _, future::join_all};
use prokura_server::{
    domain::{AccountFilter, Action, OrganizationId, ServiceAccount, ServiceAccountId},
    store::{AccountChange, IdempotentRequest, ListPosition, Once, Rotation, Target},
};

use super::{
    NOW, bootstrapped, claim, count, described, event, find, migrated, newcomer, open, revoke, run,
    secret, token,
};

#[tokio::test]
async fn a_write_whose_first_step_touches_nothing_changes_nothing() {
    let (url, store) = migrated().await;
    let first = bootstrapped(&store).await;
    let (organization, account, secret, events) = newcomer(2, "Acme");
    let made = store
        .bootstrap_another(&organization, &account, &secret, events)
        .await;
    assert!(!made.unwrap());
    assert!(find(&store, &account).await.is_none());
    assert!(find(&store, &first).await.is_some());
    assert_eq!(count(&url, "organizations").await, 1);
    assert_eq!(count(&url, "audit_events").await, 2);
}

#[tokio::test]
async fn a_write_that_fails_midway_changes_nothing_and_its_error_quotes_no_row() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let nowhere = ServiceAccount {
        organization_id: OrganizationId::from_bytes([9; 16]),
        ..account
    };
    // The organization of the event has been deleted.
    assert!(!revoke(&store, &nowhere, 1).await.unwrap());
    assert_eq!(count(&url, "revoked_tokens").await, 0);

    let failed = store
        .create_service_account(
            &nowhere,
            &secret(9),
            event(&nowhere, Action::CreateServiceAccount),
            None,
        )
        .await;
    let said = described(&failed.unwrap_err());
    assert!(said.contains("SQLSTATE 23505"), "{said}");
    assert!(!said.contains("DETAIL") && !said.contains("\\x"), "{said}");
    // The connection still works.
    assert!(find(&store, &nowhere).await.is_some());
}

/// The account may be deleted between the look-up and the write. No request can be timed to hit that moment, so the test
/// calls the store.
#[tokio::test]
async fn a_refused_request_with_a_key_gets_the_same_error_and_is_not_stored() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let (organization, now) = (account.organization_id, NOW);
    let request = IdempotentRequest {
        id: [1; 32],
        sealed_answer: vec![2],
        now,
        expires_at: now.plus_seconds(1),
    };
    let add = async |id, version, number, request| {
        let event = event(&account, Action::AddSecret);
        let secret = secret(number);
        let target = Target {
            organization,
            id,
            version,
        };
        let added = store.add_secret(target, &secret, now, event, request);
        added.await.unwrap()
    };
    let nobody = ServiceAccountId::from_bytes([9; 16]);
    let refused = add(nobody, 1, 9, Some(&request)).await;
    assert_eq!(refused, Once::Now(AccountChange::NoAccount));
    for number in 5..9 {
        let version = account.version + i64::from(number) - 5;
        let added = add(account.id, version, number, None).await;
        assert_eq!(added, Once::Now(AccountChange::Done));
    }
    let refused = add(account.id, account.version + 4, 9, Some(&request)).await;
    assert_eq!(refused, Once::Now(AccountChange::Refused));
    assert_eq!(count(&url, "idempotent_requests").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_events_of_concurrent_writes_form_one_chain() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let revoked = join_all((0..20).map(|number| revoke(&store, &account, number))).await;
    assert!(revoked.into_iter().all(Result::unwrap));
    assert_eq!(count(&url, "revoked_tokens").await, 20);
    assert_eq!(
        count(&url, "audit_events WHERE sequence BETWEEN 1 AND 22").await,
        22
    );
    assert_eq!(
        count(&url, "organizations WHERE audit_sequence = 22").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_completes_although_its_caller_hangs_up() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    assert!(revoke(&store, &account, 1).now_or_never().is_none());
    let written = async { while count(&url, "revoked_tokens").await == 0 {} };
    tokio::time::timeout(Duration::from_secs(10), written)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_write_is_durable_whatever_the_servers_default() {
    let (url, _) = migrated().await;
    run(&url, "CREATE TABLE seen (setting text); \
               CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                   INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; \
               CREATE TRIGGER see AFTER INSERT ON installation FOR EACH ROW EXECUTE FUNCTION see(); \
               DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = off'; END $$")
    .await;
    // The default applies to connections opened from now on.
    let store = open(&url);
    assert!(claim(&store, 1).await);
    assert_eq!(count(&url, "seen WHERE setting = 'on'").await, 1);
}

#[tokio::test]
async fn everything_written_can_be_read_back() {
    let (_, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let organization = account.organization_id;
    assert!(!claim(&store, 8).await);
    let keys = store.data_keys().await.unwrap().unwrap();
    assert_eq!(keys.master_key_check, [7; 32]);

    let all = AccountFilter::default();
    let listed = store
        .list_service_accounts(organization, &all, ListPosition::START, 10, NOW)
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id, &listed[0].name), (account.id, &account.name));
    assert!(listed[0].description.is_none() && listed[0].last_used_at.is_none());
    let behind = ListPosition::after(&account);
    assert!(
        store
            .list_service_accounts(organization, &all, behind, 10, NOW)
            .await
            .unwrap()
            .is_empty()
    );

    let target = Target {
        organization,
        id: account.id,
        version: account.version,
    };
    let new = secret(5);
    let rotation = Rotation {
        secret: new.clone(),
        grace_until: None,
        revoke_tokens: false,
    };
    let rotated = event(&account, Action::RotateSecret);
    let rotated = store
        .rotate_secret(target, &rotation, NOW, rotated, None)
        .await;
    assert_eq!(rotated.unwrap(), Once::Now(AccountChange::Done));
    let credentials = find(&store, &account).await.unwrap();
    assert_eq!(credentials.secrets.len(), 1);
    assert!(credentials.secrets[0].digest.matches(&new.digest));

    assert!(revoke(&store, &account, 1).await.unwrap());
    assert!(!revoke(&store, &account, 1).await.unwrap());
    let token = token(&account, 1);
    let state = store
        .find_token_state(account.id, token.id)
        .await
        .unwrap()
        .unwrap();
    assert!(state.is_revoked);

    let deleted = event(&account, Action::DeleteServiceAccount);
    let target = Target {
        version: account.version + 1,
        ..target
    };
    let deleted = store.delete_service_account(target, None, deleted).await;
    assert_eq!(deleted.unwrap(), AccountChange::Done);
    let gone = store.find_service_account(organization, account.id).await;
    assert!(gone.unwrap().is_none());
}
