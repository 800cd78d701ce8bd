//! Tokens and errors through the Rust SDK.

use futures_util::future::try_join_all;
use prokura_client::{Client, ClientCredentials, Error, HttpOptions};
use prokura_server::domain::SigningAlgorithm;

use super::{credentials, sdk, start, start_with};
use crate::harness::{Options, claims_of, jwt_resource};

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
