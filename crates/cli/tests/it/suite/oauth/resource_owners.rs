//! A resource belongs to an organization. For all others it does not exist, unless it is shared. All nodes judge by the database.

use prokura_server::domain::{ConfiguredResource, SigningAlgorithm};
use serde_json::json;

use super::{DATABASE, start_with};
use crate::harness::{
    Client, Credentials, Database, Options, Prokura, claims_of, jwt_resource, opaque_resource,
};

const ORDERS: &str = "https://orders.example";
const STOCK: &str = "https://stock.example";

fn orders() -> Options {
    Options::with_resources(vec![jwt_resource(
        ORDERS,
        "orders:read orders:write",
        SigningAlgorithm::Es256,
    )])
}

fn stock() -> ConfiguredResource {
    opaque_resource(STOCK, "stock:read").into()
}

async fn cannot_use_orders(server: &Client, administrator: &Credentials) {
    let token = server.access_token(administrator).await;
    for field in ["scopes", "grantableScopes"] {
        let mut body = json!({ "name": "CI", "scopes": [] });
        body[field] = json!(["orders:read"]);
        let refused = server.try_create(&token, body).await;
        refused.expect_wrong_field(field);
    }
    let (_, account) = server
        .create(&token, json!({ "name": "CI", "scopes": [] }))
        .await;
    for client in [administrator, &account] {
        for form in [
            &[("resource", ORDERS)][..],
            &[("audience", ORDERS)],
            &[("resource", ORDERS), ("scope", "orders:read")],
        ] {
            let refused = server.token(client, form).await;
            refused.expect_oauth_error(400, "invalid_target");
        }
        let refused = server.token(client, &[("scope", "orders:read")]).await;
        refused.expect_oauth_error(400, "invalid_scope");
    }
}

async fn buyer(server: &Client, administrator: &Credentials) -> Credentials {
    let token = server.access_token(administrator).await;
    server.create_with_scopes(&token, &["orders:read"]).await
}

#[tokio::test]
async fn a_resource_of_the_configuration_belongs_to_the_first_organization() {
    let prokura = start_with(orders()).await;
    let other = prokura.bootstrap("Other").await;
    let ours = buyer(&prokura, &prokura.root).await;
    prokura
        .access_token_with(&ours, &[("resource", ORDERS)])
        .await;
    cannot_use_orders(&prokura, &other).await;
}

#[tokio::test]
async fn a_shared_resource_is_for_all_and_its_tokens_name_the_organization() {
    let shared = ConfiguredResource {
        is_shared: true,
        ..jwt_resource(ORDERS, "orders:read", SigningAlgorithm::Es256).into()
    };
    let options = Options {
        more_resources: vec![shared],
        ..Options::default()
    };
    let prokura = start_with(options).await;
    let other = prokura.bootstrap("Other").await;
    let mut organizations = Vec::new();
    for administrator in [&prokura.root, &other] {
        let buyer = buyer(&prokura, administrator).await;
        let token = prokura
            .access_token_with(&buyer, &[("resource", ORDERS)])
            .await;
        let claims = claims_of(&token);
        let seen = prokura.introspect(administrator, &token).await;
        assert_eq!(seen["organization_id"], claims["organization_id"]);
        organizations.push(claims["organization_id"].clone());
    }
    assert_ne!(organizations[0], organizations[1]);
}

#[tokio::test]
async fn the_configuration_can_name_the_organization() {
    let prokura = start_with(orders()).await;
    let other = prokura.bootstrap("Other").await;
    let ours = buyer(&prokura, &prokura.root).await;
    let token = prokura
        .access_token_with(&ours, &[("resource", ORDERS)])
        .await;
    let theirs = ConfiguredResource {
        organization: Some("Other".to_owned()),
        ..jwt_resource(ORDERS, "orders:read", SigningAlgorithm::Es256).into()
    };
    let options = Options {
        more_resources: vec![theirs],
        ..Options::default()
    };
    let prokura = prokura.restart(options).await;
    let buyer = buyer(&prokura, &other).await;
    prokura
        .access_token_with(&buyer, &[("resource", ORDERS)])
        .await;
    cannot_use_orders(&prokura, &prokura.root).await;
    // The tokens of the previous owner are for a resource that it does not have any more.
    assert!(!prokura.is_active(&token).await);
    let refused = prokura.token(&ours, &[("resource", ORDERS)]).await;
    refused.expect_oauth_error(400, "invalid_target");
    // Back in the first organization everything is as before.
    let prokura = prokura.restart(orders()).await;
    assert!(prokura.is_active(&token).await);
    prokura
        .access_token_with(&ours, &[("resource", ORDERS)])
        .await;
}

/// Nodes with different configurations answer alike at every moment of a rolling change.
#[tokio::test]
async fn nodes_judge_by_the_database_and_not_by_their_own_file() {
    if DATABASE == Database::Sqlite {
        return; // One node owns a SQLite file.
    }
    let first = start_with(orders()).await;
    let ours = buyer(&first, &first.root).await;
    let root = first.access_token(&first.root).await;
    let with_stock = || Options {
        more_resources: vec![stock()],
        ..orders()
    };
    let second = first.another_node(orders()).await;
    let alike = async |nodes: &[&Prokura], stock: u16| {
        for node in nodes {
            let token = node.access_token_with(&ours, &[("resource", ORDERS)]).await;
            for other in nodes {
                assert!(other.is_active(&token).await);
                let keys = other.get("/.well-known/jwks.json").await.expect(200).json();
                assert_eq!(keys, nodes[0].get("/.well-known/jwks.json").await.json());
            }
            let body = json!({ "name": "Stock", "scopes": ["stock:read"] });
            let created = node.try_create(&root, body).await;
            assert_eq!(created.status, stock, "{created:?}");
        }
    };
    alike(&[&first, &second], 400).await;
    let third = first.another_node(with_stock()).await;
    alike(&[&first, &second, &third], 201).await;
    // A node whose file is older starts, and all follow it.
    let fourth = first.another_node(orders()).await;
    alike(&[&first, &second, &third, &fourth], 400).await;
    let fifth = first.another_node(with_stock()).await;
    alike(&[&first, &second, &third, &fourth, &fifth], 201).await;
    let difference = first.authority.compare_resources().await.unwrap();
    assert_eq!(difference.removed, [STOCK]);
    assert!(
        fifth
            .authority
            .compare_resources()
            .await
            .unwrap()
            .is_empty()
    );
}
